"""How an attempt can fail before there is a whole answer, named by stage.

AttemptFailed
├── NotResolved          dns
├── AddressRefused       address
├── NotConnected         connect
├── TlsFailed            tls
├── SendFailed           send
├── HeadersFailed        headers
├── BodyFailed           body
└── DeadlinePassed       deadline
"""

from __future__ import annotations

from typing import ClassVar


class AttemptFailed(Exception):
    """``message`` is a sentence for the merchant: it never quotes an address or a library."""

    stage: ClassVar[str]
    message: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(self.message)


class NotResolved(AttemptFailed):
    stage = "dns"
    message = "The endpoint's host could not be resolved within 2 s."


class AddressRefused(AttemptFailed):
    stage = "address"
    message = "The endpoint's host resolves to an address that is not public."


class NotConnected(AttemptFailed):
    stage = "connect"
    message = "The endpoint did not accept a connection within 3 s."


class TlsFailed(AttemptFailed):
    stage = "tls"
    message = "The endpoint's certificate is not valid for its host, or TLS could not be agreed on."


class SendFailed(AttemptFailed):
    stage = "send"
    message = "The endpoint closed the connection while the request was sent."


class HeadersFailed(AttemptFailed):
    stage = "headers"
    message = "The endpoint closed the connection without an answer, or answered with something that is not HTTP."


class BodyFailed(AttemptFailed):
    stage = "body"
    message = "The endpoint closed the connection in the middle of its answer."


class DeadlinePassed(AttemptFailed):
    stage = "deadline"
    message = "The endpoint did not finish its answer within 15 s."
