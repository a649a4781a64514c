"""What a key grants, and what the services are told of its owner."""

import random
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from sqlalchemy import event, text

from loyalty_common import database
from loyalty_common.errors import Unavailable
from loyalty_common.identity import TokenVerifier
from loyalty_gateway.domain import keys
from loyalty_gateway.domain.access import Authenticator, check_permission, identity_token
from loyalty_gateway.domain.errors import (
    AddressNotAllowed,
    InsufficientScope,
    KeyExpired,
    KeyRevoked,
    OrganizationSuspended,
    PlanRequired,
    WrongKey,
)
from loyalty_gateway.domain.key_cache import KeyCache
from loyalty_gateway.domain.known_keys import KnownKey, KnownKeys
from loyalty_testing.machine import free_port

NOW = datetime(2026, 5, 16, 10, 12, tzinfo=UTC)
KEY = KnownKey(
    id=4,
    kid="4fZ8Qm01Ab",
    digest=b"",
    pepper_version=1,
    scopes=frozenset(("customers:read", "programs:write")),
    expires_at=None,
    revoked_at=None,
    tenant_id=7,
    organization={"id": 1, "currency": "USD", "country": "US", "time_zone": "America/New_York"},
    is_suspended=False,
    plan="business",
    has_developer_access=True,
    buckets=(),
)


@pytest.fixture
def known_keys(accounts_url):
    engine = database.create_engine(accounts_url, pool_size=2, application_name="look-ups")
    yield KnownKeys(engine)
    engine.dispose()


@pytest.mark.parametrize("scope", ["customers:read", "programs:write", "programs:read", None])
def test_a_scope_that_was_granted_opens_its_routes_and_write_includes_read(scope):
    check_permission(KEY, scope=scope, address="203.0.113.7")


@pytest.mark.parametrize("scope", ["customers:write", "vouchers:read", "keys:write"])
def test_a_scope_that_was_not_granted_is_named_in_the_refusal(scope):
    with pytest.raises(InsufficientScope, match=scope):
        check_permission(KEY, scope=scope, address="203.0.113.7")


@pytest.mark.parametrize(
    ("networks", "address", "is_let_in"),
    [
        ((), "203.0.113.7", True),
        (("203.0.113.0/24",), "203.0.113.7", True),
        (("203.0.113.0/24",), "203.0.114.7", False),
        (("203.0.113.0/24", "2001:db8::/48"), "2001:db8::7", True),
        (("203.0.113.0/24", "2001:db8::/48"), "2001:db9::7", False),
        (("203.0.113.7/32",), "::ffff:203.0.113.7", True),
        (("::/0",), "203.0.113.7", False),
        (("0.0.0.0/0",), "2001:db8::7", False),
        (("fe80::/10",), "fe80::1%eth0", True),
    ],
)
def test_a_key_opens_from_its_networks_alone(networks, address, is_let_in):
    key = replace(KEY, allowed_networks=tuple(map(ip_network, networks)))
    with nullcontext() if is_let_in else pytest.raises(AddressNotAllowed):
        check_permission(key, scope=None, address=address)


def test_a_wrong_secret_and_an_unknown_key_are_the_same_work(known_keys, new_key, peppers):
    """Function by function of ours, and hash by hash, once the database has said what it knows of them."""
    wrong = new_key()["key"][:20] + "A" * 43
    guesses = [wrong + keys.checksum(wrong), keys.mint(mode="live", entropy=b"unknown!" + bytes(32))]
    cache = KeyCache(known_keys.find)
    cache.told(True)
    authenticator = Authenticator(cache, peppers=peppers)
    for guess in guesses:
        work_of(authenticator, guess)
    wrong_secret, unknown = [work_of(authenticator, guess) for guess in guesses]
    assert wrong_secret == unknown
    assert unknown.count("digest") == unknown.count("compare_digest") == 1


def work_of(authenticator, guess):
    work = []

    def note(frame, event, arg):
        if "loyalty_gateway" in frame.f_code.co_filename:
            if event == "call":
                work.append(frame.f_code.co_name)
            elif event == "c_call" and arg.__name__ in ("compare_digest", "crc32"):
                work.append(arg.__name__)

    sys.setprofile(note)
    try:
        with pytest.raises(WrongKey, match=re.escape(WrongKey.default_message)):
            authenticator.authenticate(f"Bearer {guess}", now=NOW)
    finally:
        sys.setprofile(None)
    return work


def test_cold_keys_cost_one_statement_each(accounts_url, new_organization, new_key):
    organization = new_organization()
    kids = [new_key(organization_id=organization["id"])["key"][9:19] for _ in range(100)]
    engine = database.create_engine(accounts_url, pool_size=8, application_name="look-ups")
    cache = KeyCache(KnownKeys(engine).find)
    cache.told(True)
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *said: asked.append(said[3]["kid"]))
    with ThreadPoolExecutor(16) as callers:
        list(callers.map(cache.get, random.Random(1).sample(kids * 10, 1000)))
    engine.dispose()
    assert sorted(asked) == sorted(kids)


def test_a_suspended_organization_is_told_so_before_anything_else():
    with pytest.raises(OrganizationSuspended):
        check_permission(
            replace(KEY, is_suspended=True, has_developer_access=False), scope="keys:write", address="203.0.113.7"
        )


def test_a_plan_without_developer_access_opens_nothing():
    with pytest.raises(PlanRequired):
        check_permission(replace(KEY, has_developer_access=False), scope="customers:read", address="203.0.113.7")


def test_the_token_says_who_calls_and_is_minted_once(identity_keys):
    key, signer = replace(KEY, tokens={}), identity_keys.signer("gateway")
    token = identity_token(key, audience="programs", signer=signer)
    assert identity_token(key, audience="programs", signer=signer) is token
    identity = TokenVerifier("programs", identity_keys.public_keys).verify(f"Bearer {token}")
    assert (identity.tenant_id, identity.actor_type, identity.actor_id) == (7, "api_key", 4)
    assert identity.scopes == {"customers:read", "programs:write"}
    assert identity.organization.time_zone == "America/New_York"
    assert identity.plan == "business"


@pytest.mark.parametrize(
    ("column", "refusal"), [("expires_at", KeyExpired), ("revoked_at", KeyRevoked)], ids=["expired", "revoked"]
)
def test_a_key_ends_at_its_moment(known_keys, new_key, change, peppers, column, refusal):
    key = new_key()
    change(f"update api_keys set {column} = :at where id = :id", at=NOW, id=key["id"])
    authenticator = Authenticator(KeyCache(known_keys.find), peppers=peppers)
    authenticator.authenticate(f"Bearer {key['key']}", now=NOW - timedelta(seconds=1))
    with pytest.raises(refusal):
        authenticator.authenticate(f"Bearer {key['key']}", now=NOW)


def test_a_key_with_a_limit_of_its_own_keeps_below_the_plans(known_keys, new_key, change):
    key = new_key("business")
    change("update api_keys set requests_per_minute = 600, burst = 50 where id = :id", id=key["id"])
    own, organization = known_keys.find(key["key"][9:19]).buckets
    assert (own.per_minute, own.burst, own.name) == (600, 50, "key")
    assert (organization.per_minute, organization.burst, organization.name) == (3000, 500, "organization")


def test_a_look_up_survives_connections_that_died_in_the_pool(known_keys, engine, new_key):
    kid = new_key()["key"][9:19]
    assert known_keys.find(kid) is not None
    with engine.connect() as connection:
        kill = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'look-ups'"
        assert connection.execute(text(kill)).scalars().all() == [True]
    assert known_keys.find(kid) is not None


def test_a_database_that_is_away_is_not_an_unknown_key():
    engine = database.create_engine(f"postgresql://x:x@127.0.0.1:{free_port()}/x", pool_size=1, application_name="x")
    with pytest.raises(Unavailable):
        KnownKeys(engine).find("4fZ8Qm01Ab")
