"""Why this service refuses.

ValidationFailed                 (loyalty_common.errors)
├── UrlNotAllowed                the text of the URL is not one that we deliver to
├── LogForgotten                 events are asked for that are not kept any more
├── TooMuchToCount               statistics over more attempts than are counted while a caller waits
└── Refusal
    ├── EndpointAddressRefused   the URL's host does not resolve, or to something that is not public
    ├── EndpointNotActive        nothing is sent again to an endpoint that is paused, disabled or deleted
    └── ReplayRunning            one replay of an endpoint at a time
RateLimited                      (loyalty_common.errors)
└── TooManyTests                 the process already waits for as many receivers as it may
"""

from __future__ import annotations

from loyalty_common.errors import RateLimited, Refusal, ValidationFailed


class UrlNotAllowed(ValidationFailed):
    def __init__(self, sentence: str) -> None:
        super().__init__(details={"url": [sentence.replace(":field", "url")]})


class EndpointAddressRefused(Refusal):
    reason = "endpoint_address_refused"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, details={"url": [sentence]})


class EndpointNotActive(Refusal):
    def __init__(self, status: str) -> None:
        super().__init__(f"The endpoint of this delivery is {status}: nothing is sent to it.")


class ReplayRunning(Refusal):
    reason = "job_running"

    def __init__(self, replay_id: int) -> None:
        super().__init__(f"Replay {replay_id} of this endpoint has not ended yet. Wait for it, or cancel it.")


class LogForgotten(ValidationFailed):
    def __init__(self, *, oldest_sequence: int) -> None:
        sentence = f"Events are kept for 30 days: the oldest_sequence that is left is {oldest_sequence}."
        super().__init__(sentence, details={"after_sequence": [sentence]})


class TooMuchToCount(ValidationFailed):
    def __init__(self) -> None:
        super().__init__(details={"from": ["There are too many attempts in this time: ask for less of it."]})


class TooManyTests(RateLimited):
    default_message = "Other tests are still waiting for their receivers: retry in a few seconds."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})
