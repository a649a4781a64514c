"""Every attack is noticed: with its defence taken out, in a copy of the packages, the test that is about it fails."""

import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from loyalty_testing.soak import SOAKING

HERE = Path(__file__).parent
WEAKNESSES = tomllib.loads((HERE / "weaknesses.toml").read_text())["weakness"]
TESTS_FAILED = 1  # Not "could not be collected" and the like: pytest has other numbers for those.


def installed(file):
    return Path(find_spec(Path(file).parts[0]).submodule_search_locations[0], *Path(file).parts[1:])


def test_each_defence_stands_where_it_is_said_to_stand():
    wrong = [one["attack"] for one in WEAKNESSES if installed(one["file"]).read_text().count(one["sound"]) != 1]
    assert wrong == []


@pytest.mark.soak
@pytest.mark.parametrize(
    "weakness", [one for one in WEAKNESSES if SOAKING or one["attack"] == "JSON: depth"], ids=lambda one: one["attack"]
)
def test_without_its_defence_an_attack_succeeds_and_is_seen(weakness, postgres, redis_server, tmp_path):
    package = Path(weakness["file"]).parts[0]
    shutil.copytree(installed(package), tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    weak = tmp_path / weakness["file"]
    weak.write_text(weak.read_text().replace(weakness["sound"], weakness["weak"]))
    environment = {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"TEST_POSTGRES_URL": postgres.url, "TEST_REDIS_URL": redis_server.url}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=60"]
    done = subprocess.run(
        [*command, *shlex.split(weakness["proof"])],
        cwd=HERE,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == TESTS_FAILED, done.stdout[-3000:] + done.stderr[-1000:]
    assert " failed" in done.stdout.splitlines()[-1]
