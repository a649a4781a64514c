import re
from pathlib import Path

import pytest

from loyalty_common.settings import SettingsError
from loyalty_dashboard.settings import Settings, from_environment

_README = (Path(__file__).parents[1] / "README.md").read_text()
_READ = {name.upper() for name in Settings.__dataclass_fields__}


def test_the_readme_names_every_variable_that_settings_read() -> None:
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", _README, re.MULTILINE)) == _READ


def test_a_process_that_misses_variables_names_them_all() -> None:
    with pytest.raises(SettingsError) as refused:
        from_environment({"WEB_THREADS": "many"})
    named = " ".join(refused.value.problems)
    required = {name for name in _READ if re.search(rf"^\| `{name}` \| required ", _README, re.MULTILINE)}
    assert required | {"WEB_THREADS"} == set(re.findall(r"[A-Z]+(?:_[A-Z]+)+", named))
