"""What every write is told of its request."""

from __future__ import annotations

import secrets

from loyalty_common import web
from loyalty_vouchers.domain.acts import Act


def current_act() -> Act:
    call = web.current_call()
    return Act(
        request=web.request_key(),
        organization_id=call.organization.id,
        source=call.caller.source,
        at=call.now,
        choose=secrets.randbelow,
    )
