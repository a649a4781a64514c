"""What a receiver verifies: the reference's signature, and Standard Webhooks' beside it."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence

from loyalty_webhooks.domain.secret_box import PREFIX

_REFERENCE_HEADERS = ("X-Loyalty-Signature", "X-Loyalty-Signature-Previous")


def reference_signature(*, signing_secret: str, timestamp: int, body: bytes) -> str:
    """Hex HMAC-SHA256 of ``timestamp + "." + body``, keyed with the secret's characters as they are shown."""
    return hmac.digest(signing_secret.encode(), b"%d." % timestamp + body, "sha256").hex()


def standard_signature(*, signing_secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """``v1,`` + base64 HMAC-SHA256 of ``id.timestamp.body``, keyed with what the secret's base64 decodes to."""
    key = base64.b64decode(signing_secret.removeprefix(PREFIX))
    signed = b"%s.%d." % (message_id.encode(), timestamp) + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def delivery_headers(
    *,
    signing_secrets: Sequence[str],
    event: str,
    event_id: str,
    delivery_id: int,
    attempt: int,
    timestamp: int,
    body: bytes,
) -> dict[str, str]:
    """``timestamp`` is that of this attempt, in unix seconds; ``body`` the bytes that go on the wire.

    ``signing_secrets``: the current one and, as long as it is valid beside it, the one before.
    """
    references = [reference_signature(signing_secret=each, timestamp=timestamp, body=body) for each in signing_secrets]
    standards = [
        standard_signature(signing_secret=each, message_id=event_id, timestamp=timestamp, body=body)
        for each in signing_secrets
    ]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Loyalty-Webhooks/1.0",
        "Accept-Encoding": "identity",
        "X-Loyalty-Event": event,
        "X-Loyalty-Timestamp": str(timestamp),
        **dict(zip(_REFERENCE_HEADERS, references, strict=False)),
        "X-Loyalty-Delivery": str(delivery_id),
        "X-Loyalty-Attempt": str(attempt),
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(standards),
    }
