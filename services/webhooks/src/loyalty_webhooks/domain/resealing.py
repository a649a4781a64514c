"""Signing secrets move to the newest key, so that an older one can be thrown away."""

from __future__ import annotations

from typing import Any

import structlog
from cryptography.exceptions import InvalidTag
from sqlalchemy import Engine, Row, text

from loyalty_webhooks.domain.secret_box import SecretBox

_BATCH = 100
_log = structlog.get_logger()

_FORGET = text("""
    update webhook_endpoints set previous_sealed_secret = null, previous_secret_expires_at = null
     where previous_secret_expires_at <= now()
""")
# Locked as for any change: whoever rotates meanwhile loads what was sealed here, and never puts the old text back.
_NEXT = text("""
    select tenant_id, id, sealed_secret, previous_sealed_secret from webhook_endpoints
     where (tenant_id, id) > (:tenant_id, :id)
       and (sealed_secret not like :newest or previous_sealed_secret not like :newest)
     order by tenant_id, id limit :batch
       for no key update
""")
_RESEAL = text("""
    update webhook_endpoints set sealed_secret = :sealed_secret, previous_sealed_secret = :previous_sealed_secret
     where tenant_id = :tenant_id and id = :id
""")


def reseal(engine: Engine, secret_box: SecretBox) -> int:
    """Forget previous secrets whose time is over, and seal anew what an older key sealed; how many endpoints had such.

    May be killed and run again: what is left is found by how it is sealed. A secret whose key is not configured any
    more is left as it is and said so; nothing can be sent to that endpoint until the key is back.
    """
    with engine.begin() as connection:
        connection.execute(_FORGET)
    resealed, after = 0, {"tenant_id": 0, "id": 0}
    while True:
        with engine.begin() as connection:
            found = connection.execute(_NEXT, {**after, "newest": f"{secret_box.newest}.%", "batch": _BATCH}).all()
            changed = [changes for row in found if (changes := _resealed(row, secret_box)) is not None]
            if changed:
                connection.execute(_RESEAL, changed)
        resealed += len(changed)
        if len(found) < _BATCH:
            return resealed
        after = {"tenant_id": found[-1].tenant_id, "id": found[-1].id}


def _resealed(row: Row[Any], secret_box: SecretBox) -> dict[str, Any] | None:
    of = {"tenant_id": row.tenant_id, "endpoint_id": row.id}
    changes: dict[str, Any] = {"tenant_id": row.tenant_id, "id": row.id}
    try:
        for column in ("sealed_secret", "previous_sealed_secret"):
            sealed = row._mapping[column]
            changes[column] = sealed and secret_box.seal(secret_box.open(sealed, **of), **of)
    except (KeyError, InvalidTag) as error:
        _log.error("secret_not_opened", **of, error=type(error).__name__)
        return None
    return changes
