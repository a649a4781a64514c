"""Ports of 127.0.0.1: the wanted one if nobody has it."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator


class PortTaken(Exception):
    """The port that the user asked for answers to somebody else."""


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do, so that connections that linger from the last run are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def claim(port: int) -> int:
    if not is_free(port):
        raise PortTaken(f"Port {port} is taken. Choose another one: make run PORT={port + 100}")
    return port


def free_ports_after(port: int) -> Iterator[int]:
    """The free ports above ``port``, each once."""
    return (candidate for candidate in itertools.count(port + 1) if is_free(candidate))
