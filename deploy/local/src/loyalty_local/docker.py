"""Docker and Compose, by their command lines: 1.29 or 2, whichever is there."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping


class ContainersFailed(Exception):
    """The text says what is wrong, for whoever typed the command."""


def compose_program() -> list[str]:
    if shutil.which("docker") is None:
        raise ContainersFailed("Docker was not found. Without it, make run starts the same suite as processes.")
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise ContainersFailed("Neither docker compose (2) nor docker-compose (1.29) was found.")


def run(*command: str, stdin: str = "", environment: Mapping[str, str] | None = None) -> str:
    """What the command prints to stdout; the rest goes to the terminal."""
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise ContainersFailed(
            f"{' '.join(command[:3])} … failed with code {done.returncode}; the reason stands above."
        )
    return done.stdout
