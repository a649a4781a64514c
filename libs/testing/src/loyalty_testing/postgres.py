"""PostgreSQL 15 or newer for tests."""

from __future__ import annotations

import glob
import os
import pwd
import re
import secrets
import signal
import subprocess
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from loyalty_testing.machine import find_or_install, find_program, private_folder
from loyalty_testing.runners import Process
from loyalty_testing.server import Server

_OLDEST = 15
_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
# Without fsync a killed server finds its writes in the system's cache all the same. full_page_writes stays on, so that
# recovery is that of production.
_OPTIONS = ("-c", "fsync=off", "-c", "max_connections=500")
_STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class Postgres(Server):
    variable = "TEST_POSTGRES_URL"
    address = "postgresql://postgres:{password}@{host}:{port}/postgres"
    image = ("POSTGRES_IMAGE", "postgres:18")
    inner_port = 5432
    container_env = ("POSTGRES_PASSWORD={password}",)
    container_command = ("postgres", *_OPTIONS)

    def create_database(self, name: str) -> str:
        """Creates an empty database of its own, whose name begins with ``name``, and returns its URL."""
        unique = f"{name}_{secrets.token_hex(4)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(unique)))
        return urlsplit(self.url)._replace(path=f"/{unique}").geturl()

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """``immediate`` is a crash: nothing more is written, and the next start recovers from the log."""
        self.runner.stop(_STOP_SIGNALS[mode])

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    @classmethod
    def process(cls, port: int, password: str) -> Process:
        programs = find_or_install(_find, server="PostgreSQL 15", variable=cls.variable, package="postgresql")
        user = _unprivileged_user()
        folder = private_folder("postgres", owner=user)
        secret = folder / "password"
        secret.write_text(password)
        secret.chmod(0o444)  # The folder is closed; the server's user must read it.
        options = f"-D {folder}/db -k {folder} -h 127.0.0.1 -p {port}"
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        server = Process(
            [f"{programs}/postgres", *options.split(), *_OPTIONS], port=port, folder=folder, env=env, user=user
        )
        identity = f"--username postgres --pwfile {secret} --auth scram-sha-256"
        initdb = f"{programs}/initdb -D {folder}/db {identity} --encoding UTF8 --locale C.UTF-8 --no-sync"
        server.execute(*initdb.split())
        return server


def _find() -> Path | None:
    """The folder of the newest programs that are new enough."""
    on_path = find_program("initdb")
    folders = [Path(name) for pattern in _FOLDERS for name in glob.glob(pattern)]
    folders += [on_path.resolve().parent] if on_path else []
    newest = max(((_version(folder), folder) for folder in folders), default=None)
    return newest[1] if newest and newest[0] >= _OLDEST else None


def _version(programs: Path) -> int:
    if not (programs / "initdb").exists() or not (programs / "postgres").exists():
        return 0
    printed = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.search(r"\d+", printed)
    return int(found[0]) if found else 0


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root; for everybody else: as oneself."""
    if os.geteuid() != 0:
        return None
    return "postgres" if any(user.pw_name == "postgres" for user in pwd.getpwall()) else "nobody"
