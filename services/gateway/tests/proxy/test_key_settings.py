"""From where a key may be used, and when it was."""

import pytest

CARDS = "/api/v1/loyalty-cards"


@pytest.mark.parametrize(
    ("network", "address", "status"),
    [
        ("203.0.113.0/24", "203.0.113.7", 200),
        ("203.0.113.0/24", "198.51.100.1", 403),
        ("203.0.113.0/24", "2001:db8::1", 403),
        ("2001:db8::/48", "2001:db8::1", 200),
        ("2001:db8::/48", "2001:db9::1", 403),
    ],
)
def test_a_key_with_networks_is_refused_elsewhere(gateway, upstream, new_key, network, address, status):
    key = new_key(allowed_cidrs=(network,))
    answer = gateway.ask("GET", CARDS, key=key["key"], headers={"X-Forwarded-For": address})
    assert answer.status == status
    assert len(upstream.received) == (1 if status == 200 else 0)
    if status == 403:
        assert answer.json["error"]["reason"] == "address_not_allowed"


def test_an_address_that_was_only_claimed_opens_nothing(start_gateway, upstream, new_key):
    """Nobody is a trusted proxy here, so what stands in the header is the client's own word."""
    gateway = start_gateway(PROGRAMS_URL=upstream.url, FORWARDED_ALLOW_IPS="192.0.2.1")
    key = new_key(allowed_cidrs=("203.0.113.0/24",))
    answer = gateway.ask("GET", CARDS, key=key["key"], headers={"X-Forwarded-For": "203.0.113.7"})
    assert (answer.status, answer.json["error"]["reason"]) == (403, "address_not_allowed")
    own = new_key(allowed_cidrs=("127.0.0.1/32",))
    assert gateway.ask("GET", CARDS, key=own["key"], headers={"X-Forwarded-For": "203.0.113.7"}).status == 200


def test_where_a_key_is_used_is_told_to_nobody_but_the_audit(gateway, upstream, new_key):
    gateway.ask("GET", CARDS, key=new_key()["key"], headers={"X-Loyalty-Client-Address": "203.0.113.7"})
    (received,) = upstream.received
    assert "x-loyalty-client-address" not in received.headers


def test_the_account_api_hears_from_where_a_call_came(start_gateway, upstream, new_key, tmp_path, openapi_folder):
    for service in ("customers", "programs", "vouchers", "webhooks"):
        (tmp_path / f"{service}.json").write_text((openapi_folder / f"{service}.json").read_text())
    rules = '{"scope": "keys:read", "class": "read"}'
    paths = f'{{"/v1/api-keys": {{"get": {{"x-loyalty": {rules}, "responses": {{}}}}}}}}'
    (tmp_path / "gateway.json").write_text(f'{{"openapi": "3.1.0", "paths": {paths}}}')
    gateway = start_gateway(GATEWAY_INTERNAL_URL=upstream.url, OPENAPI_DIR=str(tmp_path))
    claimed = {"X-Forwarded-For": "203.0.113.7", "X-Loyalty-Client-Address": "198.51.100.1"}
    assert gateway.ask("GET", "/api/v1/api-keys", key=new_key()["key"], headers=claimed).status == 200
    (received,) = upstream.received
    assert received.headers["x-loyalty-client-address"] == "203.0.113.7"


def test_a_use_is_seen_soon_after(gateway, upstream, engine, new_key, until):
    key, revoked = new_key(), new_key()
    gateway.ask("GET", CARDS, key=key["key"])
    gateway.ask("GET", CARDS, key=revoked["key"][:-1] + ("0" if revoked["key"][-1] != "0" else "1"))

    def used():
        with engine.connect() as connection:
            row = "select last_used_at from api_keys where id = {}"
            return [connection.exec_driver_sql(row.format(one["id"])).scalar_one() for one in (key, revoked)]

    until(lambda: used()[0] is not None)
    assert used()[1] is None
