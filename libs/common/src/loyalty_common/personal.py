"""What of a stored document is a person's, and how it is taken out: events, replies, whatever is kept as JSON.

Services agree on it, because one redacts what another wrote. Ids, amounts, references and dates are not a person's:
they are the books.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# An object that has the first key is about the customer whom the second names, and these are his.
_OWNED = (
    ("phone", "id", ("name", "email", "phone", "external_id", "metadata")),
    ("notes", "customer_id", ("notes",)),
    # Made of the member's name.
    ("referral_code", "customer_id", ("referral_code",)),
    ("referral_code", "referrer_customer_id", ("referral_code",)),
)


def customer_of(document: Any) -> int | None:
    """The customer of whom the document says more than the id: the first, where there are several."""
    return next((customer_id for _, _, customer_id in _belongings(document)), None)


def take_out(document: Any, customer_id: int) -> bool:
    """Null all that is this customer's in the document itself; whether there was anything."""
    found = [(thing, name) for thing, name, owner in _belongings(document) if owner == customer_id]
    for thing, name in found:
        thing[name] = {} if isinstance(thing[name], dict) else None
    return bool(found)


def take_out_of_event(data: dict[str, Any], customer_id: int) -> bool:
    """The same with an event's ``data``, which then also says that it is not what was published."""
    found = take_out(data, customer_id)
    if found:
        data["redacted"] = True
    return found


def _belongings(document: Any) -> Iterator[tuple[dict[str, Any], str, int]]:
    """Each value that is a person's: the object it stands in, its name there, whose it is."""
    if isinstance(document, dict):
        for marker, owner, names in _OWNED:
            if marker in document and isinstance(document.get(owner), int):
                yield from ((document, name, document[owner]) for name in names if document.get(name))
    for part in document.values() if isinstance(document, dict) else document:
        if isinstance(part, dict | list):
            yield from _belongings(part)
