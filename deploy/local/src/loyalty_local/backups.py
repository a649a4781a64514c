"""Backups of all databases of a suite: taken while it runs, of one moment, and put back in place of what is there.

Needs PostgreSQL's own programs and the standard library. docs/operations.md says what a backup holds and what not.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_AFTER_RESTORE = Path(__file__).parents[3] / "backup" / "after_restore.sql"
_MANIFEST = "manifest.json"
# Whoever keeps what another told him comes before that one: then all that he knows is in the other's backup too.
_ORDER = ("webhooks", "vouchers", "programs", "customers", "gateway")


class BackupFailed(Exception):
    """The text says what is wrong, for whoever typed the command."""


@dataclass(frozen=True)
class Server:
    """``program("pg_dump", …)`` is the command line of that program of PostgreSQL, for a superuser of the server.

    ``databases``: the name of each service's database, which is also that of its owner.
    """

    program: Callable[..., list[str]]
    databases: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def run(self, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        options |= {"env": dict(self.environment), "stderr": subprocess.PIPE, "text": True, "check": False}
        done: subprocess.CompletedProcess[str] = subprocess.run(self.program(*command), **options)
        if done.returncode != 0:
            raise BackupFailed(f"{command[0]} failed: {done.stderr.strip()}")
        return done

    def ask(self, database: str, statements: str) -> str:
        """What psql prints, without alignment; it stops at the first statement that fails."""
        quiet = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]
        asked = self.run("psql", *quiet, f"--dbname={database}", input=statements, stdout=subprocess.PIPE)
        return asked.stdout.strip()


def back_up(server: Server, folder: Path, *, stillness: AbstractContextManager[object]) -> None:
    """Dumps every database into ``folder``, which is complete once it has a manifest.

    ``stillness``: while it lasts no service tells another anything. It ends when the moment of the backup is fixed, in
    milliseconds; the dumps, which may take hours, come after it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupFailed(f"{folder} is not empty.")
    with ExitStack() as opened:
        with stillness:
            at = datetime.now(UTC)
            snapshots = {service: opened.enter_context(_snapshot(server, service)) for service in _ORDER}
        with ThreadPoolExecutor(2) as side_by_side:
            told = side_by_side.map(lambda one: _dump(server, folder, *one), snapshots.items())
            databases = dict(zip(snapshots, told, strict=True))
    manifest = json.dumps({"made_at": at.isoformat(timespec="seconds"), "databases": databases}, indent=2)
    (folder / _MANIFEST).write_text(f"{manifest}\n")


@contextmanager
def _snapshot(server: Server, service: str) -> Iterator[str]:
    """The id of a snapshot of the service's database that is kept until the block ends."""
    command = server.program("psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1")
    command.append(f"--dbname={server.databases[service]}")
    environment = dict(server.environment)
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as session:
        assert session.stdin
        assert session.stdout
        session.stdin.write("begin isolation level repeatable read read only; select pg_export_snapshot();\n")
        session.stdin.flush()
        if not (snapshot := session.stdout.readline().strip()):
            raise BackupFailed(f"There is no snapshot of the database of {service}; the reason stands above.")
        yield snapshot


def _dump(server: Server, folder: Path, service: str, snapshot: str) -> dict[str, str]:
    """What the manifest says of it."""
    file = folder / f"{service}.dump"
    database = server.databases[service]
    with file.open("xb") as written:
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--dbname={database}"]
        server.run("pg_dump", *options, stdout=written)
        os.fsync(written.fileno())
    revision = server.ask(database, "select version_num from alembic_version")
    return {"file": file.name, "sha256": _digest(file), "revision": revision}


def restore(server: Server, folder: Path) -> None:
    """Puts the backup in ``folder`` in place of the databases, which are kept as ``<name>_before``.

    Nobody may be connected to them. Until the whole backup has been read in, nothing is changed.
    """
    files = dict(_checked(folder))
    for service, file in files.items():
        _read_in(server, server.databases[service], file)
    for database in server.databases.values():
        server.ask(
            "postgres",
            f'drop database if exists "{database}_before";\n'
            f'alter database "{database}" rename to "{database}_before";\n'
            f'alter database "{database}_restored" rename to "{database}";\n',
        )


def _checked(folder: Path) -> Iterable[tuple[str, Path]]:
    """Each service and its dump, as it was when it was made."""
    if not (folder / _MANIFEST).exists():
        raise BackupFailed(f"{folder} is no complete backup: it has no {_MANIFEST}.")
    for service, one in json.loads((folder / _MANIFEST).read_text())["databases"].items():
        if _digest(folder / one["file"]) != one["sha256"]:
            raise BackupFailed(f"{folder / one['file']} is not what was written.")
        yield service, folder / one["file"]


def _read_in(server: Server, database: str, file: Path) -> None:
    """Into a new database ``<name>_restored`` of the same owner."""
    new = f"{database}_restored"
    server.ask("postgres", f'drop database if exists "{new}";\ncreate database "{new}" owner "{database}";\n')
    server.ask("postgres", f'revoke all on database "{new}" from public;')
    options = ["--no-owner", f"--role={database}", "--exit-on-error", "--single-transaction", f"--dbname={new}"]
    with file.open("rb") as dump:
        server.run("pg_restore", *options, stdin=dump, stdout=subprocess.DEVNULL)
    server.ask(new, _AFTER_RESTORE.read_text())


def _digest(file: Path) -> str:
    with file.open("rb") as read:
        return hashlib.file_digest(read, "sha256").hexdigest()
