"""A database and a role for each service, so that none can read another's."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

import psycopg
from psycopg import sql


def create_databases(admin_url: str, names: dict[str, str], *, secret: str, suffix: str = "") -> dict[str, str]:
    """Creates what is missing and returns the URL of each service's database.

    ``names`` maps services to databases. ``suffix`` keeps the databases of several suites on one server apart.
    """
    urls = {}
    with psycopg.connect(admin_url, autocommit=True) as connection:
        existing = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
        for service, database in names.items():
            name = f"{database}{suffix}"
            password = hmac.new(secret.encode(), name.encode(), hashlib.sha256).hexdigest()
            if name not in existing:
                _create(connection, name, password)
            urls[service] = _url(admin_url, name, password)
    return urls


def _create(connection: psycopg.Connection, name: str, password: str) -> None:
    # The role may be there without its database, if an earlier start was killed between the two.
    if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone():
        _run(connection, "CREATE ROLE {name} LOGIN PASSWORD {password}", name, password)
    _run(connection, "CREATE DATABASE {name} OWNER {name}", name)
    _run(connection, "REVOKE ALL ON DATABASE {name} FROM PUBLIC", name)


def _run(connection: psycopg.Connection, statement: str, name: str, password: str = "") -> None:
    connection.execute(sql.SQL(statement).format(name=sql.Identifier(name), password=sql.Literal(password)))


def _url(admin_url: str, name: str, password: str) -> str:
    parts = urlsplit(admin_url)
    address = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{name}:{password}@{address}", path=f"/{name}").geturl()
