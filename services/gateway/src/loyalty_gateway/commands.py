"""The account commands: each is one transaction, and one JSON object on standard output."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from loyalty_gateway.domain import api_keys, keys, locations, organizations, users
from loyalty_gateway.domain.audit import Occasion
from loyalty_gateway.domain.scopes import ALL_SCOPES, OPERATORS

_PASSWORD_BYTES = 18


def add_to(commands: Any) -> None:
    """Declare the groups of commands on argparse's subparsers; what was chosen is in ``group`` and ``verb``."""
    verbs = _group(commands, "organizations")
    _options(verbs.add_parser("create"), "name", "plan", "currency", "country", "time-zone")
    verbs.add_parser("list")
    for verb in ("suspend", "resume"):
        verbs.add_parser(verb).add_argument("--id", type=int, required=True)
    verbs = _group(commands, "locations")
    _options(verbs.add_parser("create"), "organization", "name", "time-zone")
    verbs = _group(commands, "users")
    user = verbs.add_parser("create")
    _options(user, "organization", "name", "email", "role")
    user.add_argument("--password-stdin", action="store_true", help="read the password instead of making one")
    verbs = _group(commands, "keys")
    key = verbs.add_parser("create")
    _options(key, "organization", "name", "mode")
    key.add_argument("--scopes", default=",".join(ALL_SCOPES), help="comma separated; default: all")
    verbs.add_parser("revoke").add_argument("--id", type=int, required=True)


def run(connection: Connection, arguments: argparse.Namespace, *, peppers: Mapping[int, bytes]) -> dict[str, Any]:
    """Raises ``AccountRefused`` with a sentence for whoever typed the command."""
    occasion = Occasion.of_operator(datetime.now(UTC))
    match arguments.group, arguments.verb:
        case "organizations", "create":
            return organizations.create(
                connection,
                name=arguments.name,
                plan_code=arguments.plan,
                currency=arguments.currency,
                country=arguments.country,
                time_zone=arguments.time_zone,
                occasion=occasion,
            )
        case "organizations", "list":
            return {"organizations": organizations.list_all(connection)}
        case "organizations", "suspend":
            return organizations.suspend(connection, arguments.id, occasion=occasion)
        case "organizations", "resume":
            return organizations.resume(connection, arguments.id, occasion=occasion)
        case "locations", "create":
            location = locations.create(
                connection,
                organization_id=arguments.organization,
                name=arguments.name,
                time_zone=arguments.time_zone,
                occasion=occasion,
            )
            return location | {"organization_id": arguments.organization}
        case "users", "create":
            return _create_user(connection, arguments, occasion)
        case "keys", "create":
            return _create_key(connection, arguments, peppers, occasion)
        case _:
            of = {"organization_id": api_keys.organization_of(connection, arguments.id), "api_key_id": arguments.id}
            revoked = api_keys.revoke(connection, **of, authority=OPERATORS, occasion=occasion)
            return revoked | {"organization_id": of["organization_id"]}


def _create_user(connection: Connection, arguments: argparse.Namespace, occasion: Occasion) -> dict[str, Any]:
    given = sys.stdin.readline().rstrip("\n") if arguments.password_stdin else None
    password = secrets.token_urlsafe(_PASSWORD_BYTES) if given is None else given
    user = users.create(
        connection,
        organization_id=arguments.organization,
        name=arguments.name,
        email=arguments.email,
        role=arguments.role,
        password=password,
        occasion=occasion,
    )
    # Who gave it knows it.
    return user if given is not None else user | {"password": password}


def _create_key(
    connection: Connection, arguments: argparse.Namespace, peppers: Mapping[int, bytes], occasion: Occasion
) -> dict[str, Any]:
    key = api_keys.create(
        connection,
        organization_id=arguments.organization,
        name=arguments.name,
        mode=arguments.mode,
        scopes=[scope.strip() for scope in arguments.scopes.split(",") if scope.strip()],
        peppers=peppers,
        entropy=secrets.token_bytes(keys.ENTROPY_BYTES),
        occasion=occasion,
    )
    return key | {"organization_id": arguments.organization}


def _group(commands: Any, name: str) -> Any:
    group = commands.add_parser(name)
    group.set_defaults(group=name)
    return group.add_subparsers(dest="verb", required=True)


def _options(parser: argparse.ArgumentParser, *names: str) -> None:
    for name in names:
        parser.add_argument(f"--{name}", required=True, type=int if name == "organization" else str)
