"""An API key with all that a request needs to know of its organization, found in one statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

import psycopg
import sqlalchemy
from sqlalchemy import Engine, RowMapping, Select, bindparam, event, select
from sqlalchemy.exc import DBAPIError

from loyalty_common.database import is_outage
from loyalty_common.errors import Unavailable
from loyalty_gateway.domain.gcra import Bucket
from loyalty_gateway.models import ApiKey, Organization, Plan, Tenant

_LOOK_UP_TIMEOUT_MS = 2_000

_KEY_BY_KID = (
    select(
        ApiKey.id,
        ApiKey.digest,
        ApiKey.pepper_version,
        ApiKey.scopes,
        ApiKey.allowed_cidrs,
        ApiKey.expires_at,
        ApiKey.revoked_at,
        ApiKey.requests_per_minute,
        ApiKey.burst,
        Tenant.id.label("tenant_id"),
        Organization.id.label("organization_id"),
        Organization.currency,
        Organization.country,
        Organization.time_zone,
        Organization.status,
        Plan.code.label("plan"),
        Plan.developer_access,
        Plan.requests_per_minute.label("plan_requests_per_minute"),
        Plan.burst.label("plan_burst"),
    )
    .join(Tenant, (Tenant.organization_id == ApiKey.organization_id) & (Tenant.mode == ApiKey.mode))
    .join(Organization, Organization.id == ApiKey.organization_id)
    .join(Plan, Plan.code == Organization.plan_code)
    .where(ApiKey.kid == bindparam("kid"))
)


@dataclass(slots=True)
class KnownKey:
    """``scopes`` as granted; without ``allowed_networks`` every address may use it.

    ``tokens`` holds the identity token minted per service, for as long as this is known.
    With a ``user_id`` and a ``role`` it is a session: the credentials of a signed-in user instead of a key.
    """

    id: int
    kid: str
    digest: bytes
    pepper_version: int
    scopes: frozenset[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    tenant_id: int
    organization: dict[str, Any]
    is_suspended: bool
    plan: str
    has_developer_access: bool
    buckets: tuple[Bucket, ...]
    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    tokens: dict[str, str] = field(default_factory=dict)
    user_id: int | None = None
    role: str | None = None


class KnownKeys:
    """Looks keys up, on an engine of its own: nothing on it may take longer than a look-up.

    A connection that turns out to be dead is asked for once more, on a fresh one.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        event.listen(engine, "connect", _limit_statements)

    def find(self, kid: str) -> KnownKey | None:
        """``None`` for a key that is nobody's; ``Unavailable`` if the database did not say."""
        row = self.look_up(_KEY_BY_KID, kid)
        return None if row is None else _known_key(kid, row)

    def look_up(self, statement: Select[*tuple[Any, ...]], kid: str) -> RowMapping | None:
        try:
            return self._select_twice(statement, kid)
        except (DBAPIError, sqlalchemy.exc.TimeoutError) as error:
            if is_outage(error) or isinstance(getattr(error, "orig", None), psycopg.errors.QueryCanceled):
                raise Unavailable from error
            raise

    def _select_twice(self, statement: Select[*tuple[Any, ...]], kid: str) -> RowMapping | None:
        try:
            return self._select(statement, kid)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return self._select(statement, kid)

    def _select(self, statement: Select[*tuple[Any, ...]], kid: str) -> RowMapping | None:
        with self._engine.connect() as connection:
            return connection.execute(statement, {"kid": kid}).mappings().one_or_none()


def _limit_statements(connection: Any, _record: Any) -> None:
    """A look-up that waits longer than this is an outage to the caller who waits for it."""
    connection.execute(f"SET statement_timeout = {_LOOK_UP_TIMEOUT_MS}")
    connection.commit()


def _known_key(kid: str, row: RowMapping) -> KnownKey:
    organization_id = row["organization_id"]
    # The braces make Redis keep both buckets of an organization on one node of a cluster.
    prefix = f"limit:{{{organization_id}}}"
    return KnownKey(
        id=row["id"],
        kid=kid,
        digest=row["digest"],
        pepper_version=row["pepper_version"],
        scopes=frozenset(row["scopes"]),
        allowed_networks=tuple(ip_network(str(network)) for network in row["allowed_cidrs"]),
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        tenant_id=row["tenant_id"],
        organization={"id": organization_id, **{name: row[name] for name in ("currency", "country", "time_zone")}},
        is_suspended=row["status"] == "suspended",
        plan=row["plan"],
        has_developer_access=row["developer_access"],
        buckets=(
            Bucket.of(
                "key",
                f"{prefix}:key:{row['id']}",
                per_minute=row["requests_per_minute"] or row["plan_requests_per_minute"],
                burst=row["burst"] or row["plan_burst"],
            ),
            Bucket.of(
                "organization",
                f"{prefix}:organization",
                per_minute=row["plan_requests_per_minute"],
                burst=row["plan_burst"],
            ),
        ),
    )
