"""Every test of the repository may ask for real servers and signed callers."""

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("loyalty_testing.reference")

pytest_plugins = ["loyalty_testing.plugin"]

# How long an example takes says more about the machine, and who else is at work on it, than about the code.
settings.register_profile("shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-machine")
