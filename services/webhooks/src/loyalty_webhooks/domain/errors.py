"""Why this service refuses.

ValidationFailed                 (loyalty_common.errors)
├── UrlNotAllowed                the text of the URL is not one that we deliver to
└── Refusal
    └── EndpointAddressRefused   the URL's host does not resolve, or to something that is not public
"""

from __future__ import annotations

from loyalty_common.errors import Refusal, ValidationFailed


class UrlNotAllowed(ValidationFailed):
    def __init__(self, sentence: str) -> None:
        super().__init__(details={"url": [sentence.replace(":field", "url")]})


class EndpointAddressRefused(Refusal):
    reason = "endpoint_address_refused"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, details={"url": [sentence]})
