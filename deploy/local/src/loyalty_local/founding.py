"""The demo organization: an owner, a location and a key, made through the gateway's own commands, and how to use it.

Needs the standard library only: the suite in containers is founded by whatever Python its machine has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_TIME_ZONE = "America/New_York"
_OWNER = "robin@riverside.example"

_INTRODUCTION = """
  Loyalty is ready after {seconds:.1f} s: {LOYALTY_URL}

  API key      {LOYALTY_API_KEY}
  Dashboard    {DASHBOARD_URL}
  Sign in as   {DASHBOARD_EMAIL} · {DASHBOARD_PASSWORD}

  Try it:

    curl {LOYALTY_URL}/customers \\
      -H 'Authorization: Bearer {LOYALTY_API_KEY}' \\
      -H 'Content-Type: application/json' \\
      -d '{{"name": "Alex Rivera", "email": "alex@example.com"}}'
"""

Gateway = Callable[..., str]
"""``gateway("keys", "create", …)``: what this command of the gateway prints."""


def found(gateway: Gateway) -> dict[str, str]:
    """The variables of ``demo.env`` but for the address, which may change."""
    place = ["--currency", "USD", "--country", "US", "--time-zone", _TIME_ZONE]
    organization = _create(gateway, "organizations", "--name", "Riverside Coffee", "--plan", "demo", *place)["id"]
    of = ["--organization", str(organization)]
    with ThreadPoolExecutor() as side_by_side:
        location, owner, key = side_by_side.map(
            lambda arguments: _create(gateway, *arguments),
            [
                ("locations", *of, "--name", "Riverside", "--time-zone", _TIME_ZONE),
                ("users", *of, "--name", "Robin Owner", "--email", _OWNER, "--role", "owner"),
                ("keys", *of, "--name", "Demo", "--mode", "live"),
            ],
        )
    return {
        "LOYALTY_API_KEY": key["key"],
        "LOYALTY_ORGANIZATION_ID": str(organization),
        "LOYALTY_PARTNER_LOCATION_ID": str(location["id"]),
        "DASHBOARD_EMAIL": owner["email"],
        "DASHBOARD_PASSWORD": owner["password"],
    }


def introduction(variables: Mapping[str, str], *, seconds: float) -> str:
    """What a newcomer is told; ``variables`` are those of ``demo.env``."""
    return _INTRODUCTION.format(seconds=seconds, **variables)


def _create(gateway: Gateway, kind: str, *options: str) -> Any:
    return json.loads(gateway(kind, "create", *options))
