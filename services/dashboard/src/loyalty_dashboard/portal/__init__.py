"""Documentation for developers: what the merged OpenAPI, ``contracts/events`` and ``contracts/examples`` say."""

from loyalty_dashboard.portal import trying  # noqa: F401 (a view)
from loyalty_dashboard.portal.views import blueprint, install

__all__ = ["blueprint", "install"]
