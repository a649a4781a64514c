"""What a row of a file asks for, judged as ``POST /customers`` would judge it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import marshmallow as ma
import orjson

from loyalty_common import fields
from loyalty_common.errors import Details, ValidationFailed
from loyalty_customers.domain import profiles
from loyalty_customers.domain.profiles import Profile

_MOST_POINTS = 1_000_000_000
ERASED = {"email": ["The customer was erased before this row was imported."]}


class _Row(fields.Schema):
    email = fields.Email(required=True)
    name = fields.Text()
    phone = fields.Text(max_length=40)
    loyalty_card_id = fields.Identifier()
    points = fields.Integer(minimum=0, maximum=_MOST_POINTS)
    member_since = fields.Date()

    @ma.validates_schema
    def _has_a_card_for_its_points(self, sent: Mapping[str, Any], **_: Any) -> None:
        for name in ("points", "member_since"):
            if sent[name] is not None and sent["loyalty_card_id"] is None:
                raise ma.ValidationError({"loyalty_card_id": [f"The :field field is required with {name}."]})


_ROW = _Row()


@dataclass(frozen=True, slots=True)
class Opening:
    """What a customer is a member with from the start: ``points`` on a card, since a local day of it."""

    loyalty_card_id: int
    points: int
    member_since: date | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row that is still to come; ``customer_id`` of the one who has its e-mail already, ``next_id`` for a new one."""

    number: int
    content: str | None
    email_key: str | None
    customer_id: int | None
    next_id: int


@dataclass(slots=True)
class Outcome:
    """What becomes of rows. ``done`` ones are finished, ``opening`` ones still get their balance (row: customer)."""

    created: list[tuple[int, Profile]] = field(default_factory=list)
    existing: int = 0
    done: list[int] = field(default_factory=list)
    opening: dict[int, int] = field(default_factory=dict)
    refused: dict[int, Details] = field(default_factory=dict)


def decide(rows: Iterable[Waiting], columns: Sequence[str], *, country: str) -> Outcome:
    """A new customer for the first row of an e-mail that nobody has; who exists is left as he is."""
    outcome, known = Outcome(), dict[str | None, int]()
    for row in rows:
        try:
            profile, opening = judge(row.content, columns, country=country)
        except ValidationFailed as refused:
            outcome.refused[row.number] = refused.details
            continue
        customer_id = known.get(row.email_key, row.customer_id)
        if customer_id is None:
            customer_id = row.next_id
            outcome.created.append((customer_id, profile))
        else:
            outcome.existing += 1
        known[row.email_key] = customer_id
        if opening is None:
            outcome.done.append(row.number)
        else:
            outcome.opening[row.number] = customer_id
    return outcome


def judge(content: str | None, columns: Sequence[str], *, country: str) -> tuple[Profile, Opening | None]:
    """The cells' meaning; ``ValidationFailed`` with a sentence per field."""
    if content is None:
        raise ValidationFailed(details=ERASED)
    cells = orjson.loads(content)
    if len(cells) > len(columns):
        raise ValidationFailed(details={"row": ["The row has more cells than the header."]})
    try:
        sent = _ROW.load({name: cell for name, cell in zip(columns, cells, strict=False) if cell is not None})
    except ma.ValidationError as error:
        raise ValidationFailed(details=fields.sentences(error.messages)) from None
    phone = profiles.e164(sent["phone"], country=country) if sent["phone"] else None
    profile = Profile(email=sent["email"], name=sent["name"], phone=phone)
    if sent["loyalty_card_id"] is None:
        return profile, None
    return profile, Opening(sent["loyalty_card_id"], sent["points"] or 0, sent["member_since"])
