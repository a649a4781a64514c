"""The programs that measure: wrk, nginx, and the pgbench that comes with the embedded PostgreSQL."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from benchmarks.pace import NotMeasured
from loyalty_local import binaries
from loyalty_local.readiness import wait_until_ready
from loyalty_testing.machine import find_program

HERE = Path(__file__).parent
_FOLDERS_OF_NGINX = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def program(name: str, *, package: str) -> str:
    """Where the program is, if need be after an installation with apt."""
    found = find_program(name)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        # Runlevel 1 keeps the package from starting a server of its own.
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for step in (["update"], ["install", "--yes", "--no-install-recommends", package]):
            subprocess.run(["apt-get", "-qq", *step], env=environment, stdout=subprocess.DEVNULL, check=False)
        found = find_program(name)
    if found is None:
        raise NotMeasured(f"{name} is missing: apt-get install {package}")
    return str(found)


@dataclass(frozen=True, slots=True)
class Done:
    """How many there were, each of them without a fault, and in what time."""

    count: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.count / self.seconds


def wrk(url: str, script: str, *, connections: int, seconds: float, environment: Mapping[str, str]) -> Done:
    """Requests by a script in this folder."""
    options = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds:.0f}s", "--timeout", "10s"]
    command = [program("wrk", package="wrk"), *options, "--script", str(HERE / script), url]
    done = json.loads(_printed(command, environment).splitlines()[-1])
    if done["failed"] or not done["requests"]:
        raise NotMeasured(f"{done['failed']} of {done['requests']} requests to {url} failed")
    return Done(done["requests"], done["seconds"])


def pgbench(url: str, script: str, *, clients: int, seconds: float, variables: Mapping[str, object]) -> Done:
    """Transactions by a script in this folder, its statements prepared."""
    options = ["--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=2", f"--time={seconds:.0f}"]
    options += [f"--define={name}={value}" for name, value in variables.items()]
    command = [str(binaries.programs(copy_to=None) / "pgbench"), *options, f"--file={HERE / script}"]
    # Not as an argument: those are for everybody to read.
    environment = {f"PG{_PG_NAMES.get(name, name.upper())}": str(v) for name, v in conninfo_to_dict(url).items()}
    found = re.search(
        r"actually processed: (\d+).* failed transactions: 0 .*tps = ([0-9.]+)", _printed(command, environment), re.S
    )
    if found is None:
        raise NotMeasured("pgbench did not do what it was told")
    return Done(int(found[1]), int(found[1]) / float(found[2]))


_PG_NAMES = {"dbname": "DATABASE"}


def _printed(command: Sequence[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotMeasured(f"{Path(command[0]).name} failed: {done.stderr.strip()}")
    return done.stdout


@contextmanager
def nginx(port: int, http: str) -> Iterator[None]:
    """One worker, without logs, until the block ends. ``http`` is what stands in that block of its configuration,
    with a server that listens on ``port`` of 127.0.0.1 and answers ``/readyz``."""
    with tempfile.TemporaryDirectory(prefix="loyalty-nginx-") as folder:
        paths = "".join(f"{name}_temp_path {folder}/{name};\n" for name in _FOLDERS_OF_NGINX)
        main = f"daemon off; worker_processes 1; pid {folder}/pid; error_log stderr crit;\n"
        own = "access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;\n"
        Path(folder, "nginx.conf").write_text(
            f"{main} events {{ worker_connections 1024; }}\n http {{\n{paths}{own}{http}\n}}\n"
        )
        command = [program("nginx", package="nginx-light"), "-p", folder, "-e", "stderr", "-c", f"{folder}/nginx.conf"]
        with running(command, os.environ):
            wait_until_ready({"nginx": port}, timeout_s=10)
            yield


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[None]:
    """A server of the benchmark itself, whose log nobody reads, until the block ends."""
    process = subprocess.Popen(command, env=dict(environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)
