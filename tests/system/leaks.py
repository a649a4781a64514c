"""Looks for secrets where none may be: in every row of every database, and in every line that a process has logged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

KINDS = {
    "an API key": rb"lpk_(live|test)_[0-9A-Za-z]{10}_[0-9A-Za-z]{43}",
    "a session's token": rb"lps_[0-9A-Za-z]{10}_[0-9A-Za-z]{43}",
    "a signing secret": rb"whsec_[0-9A-Za-z+/]{42}",
    "a service's identity": rb"eyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}",
    # What all users of the tests begin theirs with.
    "a password": rb"a password of",
}
_DATABASES = "select datname from pg_database where datallowconn and not datistemplate"
# The parts of partitioned tables, not those themselves, which hold nothing.
_TABLES = """
    select relnamespace::regnamespace::text, relname from pg_class
     where relkind = 'r' and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
"""


def of_suite(keys: Any) -> dict[str, bytes]:
    """What nobody but the processes of this suite may know, as patterns."""
    secrets = {"the database's password": [keys.database_password], "a private key": keys.private_keys.values()}
    secrets |= {"a pepper": keys.key_peppers.values(), "a sealing key": keys.secret_keys.values()}
    return {name: b"|".join(re.escape(one.encode()) for one in values) for name, values in secrets.items()}


def found(kinds: dict[str, bytes], *, servers: Iterable[str], folders: Iterable[Path]) -> list[str]:
    """Where something of ``kinds`` (patterns by name) is written: ``an API key in accounts: public.audit_entries``."""
    pattern = re.compile(b"|".join(b"(?P<k%d>%b)" % (at, kind) for at, kind in enumerate(kinds.values())))
    names, leaks = list(kinds), set()
    for place, text in _written(servers, folders):
        for match in pattern.finditer(text):
            leaks.add(f"{names[int((match.lastgroup or 'k0')[1:])]} in {place}")
    return sorted(leaks)


def _written(servers: Iterable[str], folders: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    for server in servers:
        with psycopg.connect(server) as connection:
            databases = [name for (name,) in connection.execute(_DATABASES).fetchall()]
        for database in databases:
            yield from _dumped(urlsplit(server)._replace(path=f"/{database}").geturl(), database)
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if (file.name == "log" or ".log" in file.suffixes) and file.is_file():
                yield str(file.relative_to(folder)), file.read_bytes()


def _dumped(url: str, database: str) -> Iterator[tuple[str, bytes]]:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for schema, table in cursor.execute(_TABLES).fetchall():
            with cursor.copy(sql.SQL("copy {} to stdout").format(sql.Identifier(schema, table))) as rows:
                yield from ((f"{database}: {schema}.{table}", bytes(row)) for row in rows)
