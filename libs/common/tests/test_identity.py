import base64
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from loyalty_common.errors import Unauthenticated
from loyalty_common.identity import TokenSigner, TokenVerifier
from loyalty_testing.keys import IdentityKeys


@pytest.fixture
def verifier(identity_keys: IdentityKeys) -> TokenVerifier:
    return TokenVerifier("programs", identity_keys.public_keys)


def test_the_gateways_token_tells_who_calls(verifier: TokenVerifier, identity_keys: IdentityKeys) -> None:
    identity = verifier.verify("Bearer " + identity_keys.gateway_token("programs", tenant_id=7, organization_id=3))
    assert (identity.issuer, identity.tenant_id, identity.source) == ("gateway", 7, "api")
    assert identity.organization is not None
    assert (identity.organization.id, identity.organization.currency) == (3, "USD")


def test_a_services_own_token_names_no_organization(verifier: TokenVerifier, identity_keys: IdentityKeys) -> None:
    claims = {
        "organization": {"id": 1, "currency": "USD", "country": "US", "time_zone": "UTC"},
        "scopes": ["keys:write"],
    }
    token = identity_keys.signer("vouchers").mint("programs", tenant_id=7, claims=claims)
    identity = verifier.verify(f"Bearer {token}")
    assert (identity.issuer, identity.tenant_id, identity.organization, identity.scopes) == (
        "vouchers",
        7,
        None,
        frozenset(),
    )


def test_a_visitor_is_nobody_and_has_no_tenant(verifier: TokenVerifier, identity_keys: IdentityKeys) -> None:
    claims = {"actor": {"type": "visitor"}, "scopes": ["keys:write"]}
    token = identity_keys.signer("gateway").mint("programs", tenant_id=7, claims=claims)
    identity = verifier.verify(f"Bearer {token}")
    assert (identity.tenant_id, identity.organization, identity.actor_id) == (None, None, None)
    assert (identity.issuer, identity.scopes) == ("gateway", frozenset())


def forged(identity_keys: IdentityKeys, **changes: Any) -> str:
    now = int(time.time())
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(identity_keys.private_key("gateway")))
    organization = {"id": 1, "currency": "USD", "country": "US", "time_zone": "UTC"}
    claims = {"iss": "gateway", "aud": "programs", "iat": now, "exp": now + 60, "tenant_id": 1}
    claims |= {"organization": organization, "actor": {"type": "user", "id": 1}, "scopes": [], "plan": "demo"} | changes
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key, "EdDSA", headers={"kid": "gateway"})


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 60},
        {"exp": None},
        {"iat": None},
        {"aud": "vouchers"},
        {"aud": None},
        {"iss": "customers"},
        {"iss": None},
        {"organization": None},
    ],
    ids=["expired", "no exp", "no iat", "another audience", "no audience", "another issuer", "no issuer", "incomplete"],
)
def test_a_token_that_is_not_exactly_right_opens_nothing(
    verifier: TokenVerifier, identity_keys: IdentityKeys, changes: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify("Bearer " + forged(identity_keys, **changes))


def test_only_the_issuers_key_signs_for_him(verifier: TokenVerifier, identity_keys: IdentityKeys) -> None:
    stranger = TokenSigner("gateway", base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode())
    service = TokenSigner("gateway", identity_keys.private_key("customers"))
    for signer in (stranger, service):
        with pytest.raises(Unauthenticated):
            verifier.verify("Bearer " + signer.mint("programs", tenant_id=1))


@pytest.mark.parametrize("alg", ["none", "HS256"])
def test_the_algorithm_is_not_the_callers_choice(
    verifier: TokenVerifier, identity_keys: IdentityKeys, alg: str
) -> None:
    secret = "" if alg == "none" else identity_keys.public_keys["gateway"][0]
    now = int(time.time())
    claims = {"iss": "gateway", "aud": "programs", "iat": now, "exp": now + 60, "tenant_id": 1}
    with pytest.raises(Unauthenticated):
        verifier.verify("Bearer " + jwt.encode(claims, secret, alg, headers={"kid": "gateway"}))


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer x.y.z", "Basic abc", "bearer x"])
def test_no_token_is_no_identity(verifier: TokenVerifier, header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify(header)


def test_a_token_is_remembered_no_longer_than_it_lives(verifier: TokenVerifier, identity_keys: IdentityKeys) -> None:
    header = "Bearer " + forged(identity_keys, exp=int(time.time()) - 4)
    verifier.verify(header)
    assert eventually_refused(verifier, header)


def eventually_refused(verifier: TokenVerifier, header: str) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            verifier.verify(header)
        except Unauthenticated:
            return True
    return False
