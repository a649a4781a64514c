"""What this machine offers to the tests: free ports, private folders, binaries of servers, packages of Debian."""

from __future__ import annotations

import os
import platform
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

# Below what systems give to outgoing connections, which could take the port of a server while a test has it stopped.
_PORTS = range(20_000, 32_000)


class ServerMissing(Exception):
    """A server that does not start, or can neither be found nor installed; the text says what to do."""


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens at this moment."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise ServerMissing(f"No free port was found in {_PORTS}.")


def private_folder(name: str, *, owner: str | None = None) -> Path:
    """A folder with a short path (sockets live in it), closed to everybody but ``owner`` and root."""
    folder = Path(tempfile.mkdtemp(prefix=f"loyalty-{name}-"))
    if owner is not None:
        shutil.chown(folder, owner)
    return folder


def find_program(name: str, *folders: str) -> Path | None:
    """The program in one of ``folders``, else on the PATH, also where only root's PATH would look."""
    path = os.pathsep.join([*folders, os.environ["PATH"], "/usr/local/sbin", "/usr/sbin", "/opt/homebrew/sbin"])
    found = shutil.which(name, path=path)
    return Path(found) if found else None


def find_or_install(find: Callable[[], Path | None], *, server: str, variable: str, package: str) -> Path:
    """What ``find`` finds, if need be after an installation with apt."""
    found = find() or (_install(package) and find())
    if not found:
        raise ServerMissing(
            f"The tests need {server}: set {variable}, or start Docker, or install it (on Debian and Ubuntu: "
            f"apt-get install {package}; as root the tests do that themselves)."
        )
    return found


def _install(package: str) -> bool:
    if os.geteuid() != 0 or not _is_debian():
        return False
    # Runlevel 1 keeps the package from starting a server of its own on the usual port.
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    steps = (["update"], ["install", "--yes", "--no-install-recommends", package])
    return all(subprocess.run([*apt, *step], env=env, check=False).returncode == 0 for step in steps)  # noqa: S603


def _is_debian() -> bool:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return False
    return "debian" in f"{release['ID']} {release.get('ID_LIKE', '')}"
