"""Keys and sessions alike, as a request needs to know them. A session's kid begins with ``lps_``."""

from __future__ import annotations

from sqlalchemy import RowMapping, bindparam, select

from loyalty_gateway.domain import roles, session_tokens
from loyalty_gateway.domain.gcra import Bucket
from loyalty_gateway.domain.known_keys import KnownKey, KnownKeys
from loyalty_gateway.models import Organization, Plan, Session, Tenant, User

# Of one person with a browser. Apart from the plan's limits: neither must a till stop the dashboard nor the other way.
_PER_MINUTE = 600
_BURST = 100

_SESSION_BY_KID = (
    select(
        Session.id,
        Session.digest,
        Session.pepper_version,
        Session.expires_at,
        Session.ended_at,
        User.id.label("user_id"),
        User.role,
        Tenant.id.label("tenant_id"),
        Organization.id.label("organization_id"),
        Organization.currency,
        Organization.country,
        Organization.time_zone,
        Organization.status,
        Plan.code.label("plan"),
    )
    .join(User, User.id == Session.user_id)
    .join(Tenant, (Tenant.organization_id == User.organization_id) & (Tenant.mode == Session.mode))
    .join(Organization, Organization.id == User.organization_id)
    .join(Plan, Plan.code == Organization.plan_code)
    .where(Session.kid == bindparam("kid"))
)


class KnownCallers(KnownKeys):
    def find(self, kid: str) -> KnownKey | None:
        if not kid.startswith(session_tokens.PREFIX):
            return super().find(kid)
        row = self.look_up(_SESSION_BY_KID, kid.removeprefix(session_tokens.PREFIX))
        return None if row is None else _signed_in(kid, row)


def _signed_in(kid: str, row: RowMapping) -> KnownKey:
    organization_id, user_id = row["organization_id"], row["user_id"]
    return KnownKey(
        id=row["id"],
        kid=kid,
        digest=row["digest"],
        pepper_version=row["pepper_version"],
        scopes=roles.SCOPES[row["role"]],
        expires_at=row["expires_at"],
        revoked_at=row["ended_at"],
        tenant_id=row["tenant_id"],
        organization={"id": organization_id, **{name: row[name] for name in ("currency", "country", "time_zone")}},
        is_suspended=row["status"] == "suspended",
        plan=row["plan"],
        # The dashboard comes with every plan; Developer access is for keys.
        has_developer_access=True,
        buckets=(
            Bucket.of("user", f"limit:{{{organization_id}}}:user:{user_id}", per_minute=_PER_MINUTE, burst=_BURST),
        ),
        user_id=user_id,
        role=row["role"],
    )
