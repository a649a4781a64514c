"""Callers as a gateway signs them, for the tests of services."""

import pytest

from loyalty_common.errors import Unauthenticated
from loyalty_common.identity import TokenVerifier


def test_a_service_recognises_the_gateways_caller(identity_keys, gateway_token):
    verifier = TokenVerifier("programs", identity_keys.public_keys)

    caller = verifier.verify(f"Bearer {gateway_token('programs', tenant_id=7, scopes=['programs:read'])}")

    assert (caller.issuer, caller.tenant_id, caller.scopes) == ("gateway", 7, {"programs:read"})
    assert caller.organization.currency == "USD"


def test_a_token_for_another_service_is_refused(identity_keys, gateway_token):
    with pytest.raises(Unauthenticated):
        TokenVerifier("vouchers", identity_keys.public_keys).verify(f"Bearer {gateway_token('programs')}")


def test_every_issuer_has_a_pair_of_its_own(identity_keys):
    keys = [key for pair in identity_keys.public_keys.values() for key in pair]
    assert len(set(keys)) == 6
