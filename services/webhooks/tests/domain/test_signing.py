"""Signatures, checked by the reference's own words and by the published example of Standard Webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from cryptography.exceptions import InvalidTag

from loyalty_webhooks.domain.secret_box import SecretBox, hint, new_signing_secret
from loyalty_webhooks.domain.signing import delivery_headers, reference_signature, standard_signature

SECRET = new_signing_secret(bytes(range(32)))
BODY = '{"id":"550e8400","data":{"name":"Zoë"}}'.encode()


def test_the_reference_signature_is_keyed_with_the_secret_as_shown() -> None:
    expected = hmac.new(SECRET.encode("utf-8"), b"1715789400." + BODY, hashlib.sha256).hexdigest()
    assert reference_signature(signing_secret=SECRET, timestamp=1715789400, body=BODY) == expected


def test_the_standard_signature_is_that_of_the_published_example() -> None:
    # https://github.com/standard-webhooks/standard-webhooks, the vector of its verification libraries
    signature = standard_signature(
        signing_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_delivery_carries_both_signatures_of_the_same_moment() -> None:
    headers = delivery_headers(
        signing_secrets=[SECRET],
        event="loyalty.points_earned",
        event_id="550e8400",
        delivery_id=7001,
        attempt=2,
        timestamp=1715789400,
        body=BODY,
    )
    assert headers["X-Loyalty-Timestamp"] == headers["webhook-timestamp"] == "1715789400"
    assert headers["X-Loyalty-Event"] == "loyalty.points_earned"
    assert (headers["X-Loyalty-Delivery"], headers["X-Loyalty-Attempt"]) == ("7001", "2")
    assert headers["webhook-id"] == "550e8400"
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = hmac.new(key, b"550e8400.1715789400." + BODY, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"
    assert "X-Loyalty-Signature-Previous" not in headers


def test_while_two_secrets_are_valid_both_sign() -> None:
    of = {"event": "stamp.issued", "event_id": "e", "delivery_id": 1, "attempt": 1, "timestamp": 7, "body": BODY}
    old = f"whsec_{base64.b64encode(bytes(32)).decode()}"
    alone = {secret: delivery_headers(signing_secrets=[secret], **of) for secret in (SECRET, old)}
    both = delivery_headers(signing_secrets=[SECRET, old], **of)
    assert both["X-Loyalty-Signature"] == alone[SECRET]["X-Loyalty-Signature"]
    assert both["X-Loyalty-Signature-Previous"] == alone[old]["X-Loyalty-Signature"]
    assert both["webhook-signature"].split(" ") == [alone[each]["webhook-signature"] for each in (SECRET, old)]


def test_a_secret_opens_for_its_own_endpoint_only() -> None:
    box = SecretBox({1: bytes(32)})
    sealed = box.seal(SECRET, tenant_id=1, endpoint_id=55)
    assert SECRET not in sealed
    assert box.open(sealed, tenant_id=1, endpoint_id=55) == SECRET
    for tenant_id, endpoint_id in ((2, 55), (1, 5), (15, 5)):
        with pytest.raises(InvalidTag):
            box.open(sealed, tenant_id=tenant_id, endpoint_id=endpoint_id)


def test_a_newer_key_seals_and_the_older_still_opens() -> None:
    old = SecretBox({1: bytes(32)})
    both = SecretBox({1: bytes(32), 2: bytes([1] * 32)})
    assert both.open(old.seal(SECRET, tenant_id=1, endpoint_id=5), tenant_id=1, endpoint_id=5) == SECRET
    sealed = both.seal(SECRET, tenant_id=1, endpoint_id=5)
    assert sealed.startswith("2.")
    with pytest.raises(KeyError):
        old.open(sealed, tenant_id=1, endpoint_id=5)


def test_the_hint_shows_four_characters() -> None:
    assert hint(SECRET) == f"whsec_…{SECRET[-4:]}"
