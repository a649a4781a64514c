"""Every public route of every service opens to the scope that it names, and to no other."""

import json
import re
from pathlib import Path

import pytest

from loyalty_gateway.api import contracts
from loyalty_gateway.domain.scopes import ALL_SCOPES, AREAS

FOLDER = Path(__file__).parents[4] / "contracts/openapi"
SERVICES = ("customers", "programs", "vouchers", "webhooks", "gateway")
EVERY_OPERATION = list(contracts.public_operations(contracts.load(FOLDER, SERVICES)))
OPERATIONS = [operation for operation in EVERY_OPERATION if operation.spec["x-loyalty"]["scope"] is not None]
# Whose callers have no key, and who may call instead.
WITHOUT_KEY = {
    "POST /v1/sessions": "anyone",
    "POST /v1/sessions/current/renew": "session",
    "DELETE /v1/sessions/current": "session",
    "POST /v1/password-resets": "anyone",
    "POST /v1/password-resets/{token}": "anyone",
    "POST /v1/organizations": "anyone",
}
# By the first segment of the path, as shapes.md has them.
OWNERS = {
    "customers": "customers imports exports",
    "programs": "loyalty-cards stamp-cards referral-programs reconciliations statistics",
    "vouchers": "vouchers voucher-batches",
    "webhooks": "webhook-endpoints webhook-deliveries webhook-replays events",
    "account": "me organization partner-locations users audit-log",
    "keys": "api-keys",
}
AREA_OF = {segment: area for area, segments in OWNERS.items() for segment in segments.split()}


def test_no_other_route_does_without_a_scope():
    without = {
        f"{operation.method} {operation.path}": rules.get("caller")
        for operation in EVERY_OPERATION
        if (rules := operation.spec["x-loyalty"])["scope"] is None or "caller" in rules
    }
    assert without == WITHOUT_KEY


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}")
def test_a_route_names_a_scope_of_its_area(operation):
    area, _, right = operation.spec["x-loyalty"]["scope"].partition(":")
    assert f"{area}:{right}" in ALL_SCOPES
    assert area == AREA_OF[operation.path.split("/")[2]]
    # A POST that writes nothing may be a matter of reading; a GET always is.
    assert right == "read" or operation.method != "GET"


def test_a_route_opens_to_its_scope_and_to_nothing_else(start_gateway, upstream, new_organization, new_key):
    urls = ("CUSTOMERS", "PROGRAMS", "VOUCHERS", "WEBHOOKS", "GATEWAY_INTERNAL")
    gateway = start_gateway(OPENAPI_DIR=str(FOLDER), **{f"{name}_URL": upstream.url for name in urls})
    of = {"organization_id": new_organization()["id"]}
    only = {scope: new_key(**of, scopes=(scope,))["key"] for scope in ALL_SCOPES}
    lacking = {
        **{f"{area}:write": _key_without(new_key, of, f"{area}:write") for area in AREAS},
        # Who may write may read.
        **{f"{area}:read": _key_without(new_key, of, f"{area}:read", f"{area}:write") for area in AREAS},
    }
    for operation in OPERATIONS:
        scope = operation.spec["x-loyalty"]["scope"]
        for granted in {scope, scope.replace(":read", ":write")}:
            answer = _ask(gateway, operation, only[granted])
            assert answer.status == 200, (operation.method, operation.path, granted, answer.body)
        count = len(upstream.received)
        refused = _ask(gateway, operation, lacking[scope])
        assert (refused.status, refused.json["error"]["reason"]) == (403, "insufficient_scope"), operation.path
        assert scope in refused.json["error"]["message"]
        assert len(upstream.received) == count


def _key_without(new_key, of, *scopes):
    return new_key(**of, scopes=tuple(scope for scope in ALL_SCOPES if scope not in scopes))["key"]


def _ask(gateway, operation, key):
    target = "/api/v1/" + re.sub(r"\{[^}]+\}", "1", operation.path.removeprefix(contracts.SERVICE_PREFIX))
    media_type, *_ = operation.spec["x-loyalty"].get("media_types", ("application/json",))
    body = None if operation.method in ("GET", "DELETE") else json.dumps({})
    return gateway.ask(operation.method, target, key=key, headers={"Content-Type": media_type}, body=body)
