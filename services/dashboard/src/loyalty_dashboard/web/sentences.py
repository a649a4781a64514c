"""What the API says, in the language of the reader. What is not known here is shown as the API said it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from loyalty_dashboard.api import ApiError
from loyalty_dashboard.web.languages import gettext, mark

_BY_REASON = {
    "request_in_progress": mark("The same form is being worked on at this moment. Look again in a few seconds."),
    "idempotency_key_reused": mark("This form was sent before, with other values. Open it anew."),
}
_PATTERNS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"The (?P<field>.+) field is required\."), mark("This field is required.")),
    (re.compile(r"The (?P<field>.+) field must be an integer\."), mark("This must be a whole number.")),
    (re.compile(r"The (?P<field>.+) field must be a valid email address\."), mark("This is not an e-mail address.")),
)


def translated(sentence: str) -> str:
    for pattern, text in _PATTERNS:
        if pattern.fullmatch(sentence):
            return gettext(text)
    return sentence


def of_error(error: ApiError) -> str:
    """Of the whole form: why it was not taken, or that its fields say so."""
    if error.status == 401:  # Only a sign-in shows it: everywhere else it leads there.
        return gettext("This e-mail address and password do not belong together.")
    if error.status == 429 and error.retry_after:
        return gettext("Too many attempts. Try again in %(seconds)s seconds.") % {"seconds": error.retry_after}
    if error.reason in _BY_REASON:
        return gettext(_BY_REASON[error.reason])
    if error.details and error.reason is None:
        return gettext("Some fields are not right yet.")
    return error.message
