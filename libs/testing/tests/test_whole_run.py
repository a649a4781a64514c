"""A test that judges the whole run comes last, and says nothing about a part of it."""

import os
import subprocess
import sys

import pytest

TESTS = {
    "test_a.py": """
        import pytest

        @pytest.mark.whole_run
        def test_judges(): pass
    """,
    "test_b.py": "def test_one(): pass\ndef test_two(): pass",
}


@pytest.fixture
def run(tmp_path):
    """What a pytest in a folder of its own says, test by test."""
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = .\nmarkers = whole_run")
    for name, text in TESTS.items():
        (tmp_path / name).write_text(text.replace("\n        ", "\n"))

    def pytest_with(*arguments):
        command = [sys.executable, "-m", "pytest", "-v", "-p", "loyalty_testing.plugin", *arguments]
        env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        lines = [line.split()[:2] for line in done.stdout.splitlines() if "::" in line and "%]" in line]
        return [(test.partition("::")[2], outcome) for test, outcome in lines]

    return pytest_with


def test_it_comes_after_all_others(run):
    assert run() == [("test_one", "PASSED"), ("test_two", "PASSED"), ("test_judges", "PASSED")]


@pytest.mark.parametrize("choice", [["test_a.py"], ["-k", "not two"]], ids=" ".join)
def test_it_is_skipped_where_tests_were_left_out(run, choice):
    assert ("test_judges", "SKIPPED") in run(*choice)
