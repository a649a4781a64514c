import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("command", [["down"], ["down", "--volumes"], ["roll", "programs"]])
def test_what_needs_a_suite_in_containers_says_that_there_is_none(tmp_path: Path, command: list[str]) -> None:
    program = [sys.executable, "-m", "loyalty_local.containers", "--env-file", str(tmp_path / ".env"), *command]
    tried = subprocess.run(program, capture_output=True, text=True)
    assert tried.returncode == 1
    assert tried.stdout == ""
    assert "There is no suite in containers" in tried.stderr
    assert "Traceback" not in tried.stderr
