"""The code of the release before this one, out of the history of this checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loyalty_testing.machine import free_port

ROOT = Path(__file__).parents[2]
# Before there is a first release: the oldest state of the mainline that had all of its processes.
FIRST = "25be595920ff98a02055568fe2097d16c4209a64"
_FOLDERS = ("contracts", "deploy/local", "libs/common", "services")


def name() -> str:
    """The newest tag ``release-*`` that is not of this very state, or ``FIRST``."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout: there is no history to take the release before from")
    tags = _git("tag", "--list", "release-*", "--sort=-creatordate").split()
    here = _git("tag", "--points-at", "HEAD").split()
    return next((tag for tag in tags if tag not in here), FIRST)


def export(commit: str, to: Path) -> None:
    """Its code, as it would be checked out."""
    if not _has(commit):
        # A shallow clone. What it lacks may be had from where it came from.
        subprocess.run(["git", "fetch", "--quiet", "--depth=1", "origin", commit], cwd=ROOT, check=False)
    if not _has(commit):
        pytest.fail(f"This clone lacks the release before ({commit}) and cannot fetch it: git fetch --unshallow --tags")
    archive = to.with_suffix(".tar")
    _git("archive", f"--output={archive}", commit, "--", *_FOLDERS)
    shutil.unpack_archive(archive, to, filter="data")


@contextmanager
def running(code: Path, *, directory: Path, postgres_url: str) -> Iterator[str]:
    """The base URL of a suite of that code, ready; its keys are in ``directory``."""
    sources = [code / "libs/common/src", code / "deploy/local/src", *sorted(code.glob("services/*/src"))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sources))}
    command = [sys.executable, str(Path(__file__).with_name("run_release.py")), str(directory), str(free_port())]
    with (
        (directory / "launcher.log").open("wb") as log,
        subprocess.Popen(
            [*command, postgres_url],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as launcher,
    ):
        assert launcher.stdin
        assert launcher.stdout
        said = launcher.stdout.readline().split()
        assert len(said) == 2, (directory / "launcher.log").read_text()[-3000:]
        assert said[0].startswith(str(code)), "the code of today was started in its place"
        yield said[1]
        launcher.stdin.close()
        assert launcher.wait(60) == 0


def _has(commit: str) -> bool:
    command = ["git", "cat-file", "-e", f"{commit}^{{commit}}"]
    return subprocess.run(command, cwd=ROOT, stderr=subprocess.DEVNULL).returncode == 0


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout
