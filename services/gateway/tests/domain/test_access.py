"""What a key grants, and what the services are told of its owner."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from loyalty_common import database
from loyalty_common.errors import Unavailable
from loyalty_common.identity import TokenVerifier
from loyalty_gateway.domain.access import Authenticator, check_permission, identity_token
from loyalty_gateway.domain.errors import InsufficientScope, KeyExpired, KeyRevoked, OrganizationSuspended, PlanRequired
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
