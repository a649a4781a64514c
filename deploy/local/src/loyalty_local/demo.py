"""The demo organization: an owner, a location and a key, made through the gateway's own commands."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from loyalty_local.keys import write_private
from loyalty_local.suite import Suite

_TIME_ZONE = "America/New_York"
_OWNER = "robin@riverside.example"


def demo_of(suite: Suite) -> dict[str, str]:
    """The variables of ``demo.env``. The organization behind them is made once; its key and password are in this file
    only, so without the file there is a new organization."""
    path = suite.directory / "demo.env"
    if suite.is_new:
        path.unlink(missing_ok=True)  # It tells of another database.
    known = dict(line.split("=", 1) for line in path.read_text().splitlines()) if path.exists() else _make(suite)
    # The port may have changed since the last start.
    variables = known | {"LOYALTY_URL": suite.base_url, "DASHBOARD_URL": suite.base_url.removesuffix("/api/v1")}
    write_private(path, "".join(f"{name}={value}\n" for name, value in sorted(variables.items())))
    return variables


def _make(suite: Suite) -> dict[str, str]:
    place = ["--currency", "USD", "--country", "US", "--time-zone", _TIME_ZONE]
    organization = _create(suite, "organizations", "--name", "Riverside Coffee", "--plan", "demo", *place)["id"]
    of = ["--organization", str(organization)]
    with ThreadPoolExecutor() as side_by_side:
        location, owner, key = side_by_side.map(
            lambda arguments: _create(suite, *arguments),
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


def _create(suite: Suite, kind: str, *options: str) -> Any:
    return json.loads(suite.run("gateway", kind, "create", *options))
