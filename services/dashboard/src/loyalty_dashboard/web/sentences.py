"""What the API says, in the language of the reader. What is not known here is shown as the API said it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from loyalty_dashboard.api import ApiError
from loyalty_dashboard.web.languages import gettext, mark

# Where the reason tells all. Others come with names and figures in their sentence, which is kept.
_BY_REASON = {
    "request_in_progress": mark("The same form is being worked on at this moment. Look again in a few seconds."),
    "idempotency_key_reused": mark("This form was sent before, with other values. Open it anew."),
    "customer_not_found": mark("There is no such customer."),
    "customer_not_enrolled": mark("This customer is not a member of this card."),
    "earn_rule_missing": mark("This card has no rule by which purchases earn points."),
    "card_inactive": mark("This loyalty card is paused."),
    "enrollment_suspended": mark("This membership is suspended."),
    "reward_inactive": mark("This reward is paused."),
    "reward_out_of_stock": mark("There is nothing left of this reward."),
    "claim_already_fulfilled": mark("This reward was handed out before."),
    "claim_already_cancelled": mark("This claim was cancelled before."),
    "already_reversed": mark("This was reversed before."),
    "stamp_card_inactive": mark("This stamp card is paused."),
    "reward_already_fulfilled": mark("This reward was handed out before."),
    "voucher_inactive": mark("This voucher is paused."),
    "voucher_already_redeemed": mark("This customer has redeemed this voucher before."),
    "already_rolled_back": mark("This was rolled back before."),
    "self_referral": mark("Nobody can refer himself."),
    "already_referred": mark("This customer was referred before."),
    "referral_program_inactive": mark("This referral program is paused."),
    "key_revoked": mark("This key is revoked."),
    "key_expired": mark("This key has expired."),
    "plan_required": mark("Your plan does not include this."),
    "organization_suspended": mark("Your organization is suspended. Ask us why."),
}
# As loyalty_common.fields of the services has them.
_PATTERNS: Sequence[tuple[str, str]] = (
    (r"The .+ field is required\.", mark("This field is required.")),
    (r"The .+ field must be an integer\.", mark("This must be a whole number.")),
    (r"The .+ field must be a number\.", mark("This must be a number.")),
    (r"The .+ field must be greater than 0\.", mark("This must be more than 0.")),
    (r"The .+ field must be between (?P<low>\S+) and (?P<high>\S+)\.", mark("This must be from %(low)s to %(high)s.")),
    (r"The .+ field may not be greater than (?P<most>\S+)\.", mark("This may be at most %(most)s.")),
    (
        r"The .+ field may not be longer than (?P<most>\S+) characters\.",
        mark("This may have at most %(most)s characters."),
    ),
    (
        r"The .+ field must have (?P<low>\S+) to (?P<high>\S+) characters\.",
        mark("This must have %(low)s to %(high)s characters."),
    ),
    (r"The .+ field must be a valid email address\.", mark("This is not an e-mail address.")),
    (r"The .+ field must be a date in the form YYYY-MM-DD\.", mark("This is not a date.")),
    (r"The .+ field must be a time such as .+", mark("This is not a time.")),
    (r"The .+ field must be a time in the future\.", mark("This must lie in the future.")),
    (r"The network must be an address or a network such as .+", mark("Each line must be an address or a network.")),
    (r"The .+ field must be a list of 1 to .+", mark("Choose at least one.")),
)
_COMPILED = [(re.compile(pattern), text) for pattern, text in _PATTERNS]


def translated(sentence: str) -> str:
    for pattern, text in _COMPILED:
        found = pattern.fullmatch(sentence)
        if found:
            return gettext(text) % found.groupdict() if found.groupdict() else gettext(text)
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
