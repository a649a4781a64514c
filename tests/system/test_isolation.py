"""Another organization's data does not exist: on any route of the OpenAPI, in any list, count or error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

pytestmark = pytest.mark.soak  # hard test 12 of the webhooks' design, with test_webhook_secrets.py
OF_ONESELF = ("/me", "/organization", "/statistics")
NOBODYS = 888_888_888_888


def operations(document: Mapping[str, Any], *, with_id: bool) -> Iterator[tuple[str, str]]:
    for path, methods in document["paths"].items():
        for method in methods:
            if method in ("get", "post", "patch", "put", "delete") and ("{" in path) == with_id:
                yield method.upper(), path


def test_every_route_with_an_id_is_404_for_another_organization(
    suite: Any, found_merchant: Any, document: dict[str, Any], own_everything: Any, bodies: Any
) -> None:
    """Whichever of a path's ids is theirs, and whether all the others are one's own or theirs too."""
    theirs = own_everything(found_merchant(suite), "theirs")
    me = found_merchant(suite)
    mine = own_everything(me, "mine")
    for method, path in operations(document, with_id=True):
        names = re.findall(r"{(\w+)}", path)
        assert set(names) <= theirs.keys(), f"let own_everything make one for {path}"
        body = bodies(mine).get(f"{method} {path}", {} if method in ("POST", "PATCH") else None)
        tries = [(me.api, {**mine, name: theirs[name]}, {**mine, name: NOBODYS}) for name in names]
        for api, ids, nobodys in [*tries, (me.test_api, theirs, dict.fromkeys(names, NOBODYS))]:
            response = api.call(method, path.format_map(ids), body)
            assert response.status_code == 404, f"{method} {path}: {response.status_code} {response.text}"
            nobody = api.call(method, path.format_map(nobodys), body)
            assert nobody.json()["error"] == response.json()["error"]


def test_no_list_shows_or_counts_what_is_not_ones_own(
    suite: Any, found_merchant: Any, document: dict[str, Any], own_everything: Any
) -> None:
    own_everything(found_merchant(suite), "theirs")
    stranger = found_merchant(suite)
    # The live mode manages the keys of both.
    for api, keys in ((stranger.api, 2), (stranger.test_api, 1)):
        counts = {"/partner-locations": 1, "/api-keys": keys, "/audit-log": 4}
        for method, path in operations(document, with_id=False):
            if path == "/customers/lookup":
                assert api.call("GET", f"{path}?identifier=theirs@example.com").status_code == 404
            elif method == "GET" and path.endswith(".csv"):
                assert len(api.call("GET", path).text.splitlines()) == 1, path
            elif path == "/events":
                log = api.call("GET", path).json()
                assert (log["data"], log["meta"]["last_sequence"]) == ([], 0)
            elif method == "GET" and path not in ("/openapi.json", *OF_ONESELF):
                answer = api.call("GET", path).json()
                own = counts.get(path, 0)
                assert (len(answer["data"]), answer["meta"]["total"]) == (own, own), path
                assert "theirs" not in str(answer)


def test_two_organizations_may_give_the_same_names(suite: Any, found_merchant: Any, own_everything: Any) -> None:
    """E-mail addresses, external ids, codes of vouchers, references of receipts."""
    for _ in range(2):
        own_everything(found_merchant(suite), "theirs")


def test_the_test_mode_of_an_organization_is_another_tenant(merchant: Any) -> None:
    customer = merchant.api.data("POST", "/customers", {"email": "alex@example.com"})
    assert merchant.test_api.call("GET", f"/customers/{customer['id']}").status_code == 404
    assert merchant.test_api.data("POST", "/customers", {"email": "alex@example.com"})["id"] != customer["id"]
