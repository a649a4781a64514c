"""From loaded facts to the discount: what redeeming a voucher and asking beforehand have in common."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from loyalty_common.directory import MissingFromDirectory
from loyalty_common.errors import Unavailable
from loyalty_vouchers.domain.errors import UnknownLocation
from loyalty_vouchers.domain.redeeming import Terms, Uses, decide

_TERMS = tuple(field.name for field in fields(Terms))


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What a voucher is to be redeemed on. ``redeemed_at`` is when that happened at the till, in UTC.

    ``currency`` None stands for the voucher's own.
    """

    order_amount: Decimal
    currency: str | None
    partner_location_id: int | None
    redeemed_at: datetime


def only_one(rows: list[Any]) -> Row[Any]:
    """The loaded row, of at least one; ``Unavailable`` while an e-mail address passes to another customer."""
    if len(rows) > 1:
        # The event that says who gave the e-mail up is on its way; until then a till could reach the wrong person.
        raise Unavailable("This e-mail address is passing from one customer to another.")
    loaded: Row[Any] = rows[0]
    return loaded


def discount_for(loaded: Row[Any], purchase: Purchase) -> Decimal:
    """Raises ``UnknownLocation`` and what ``decide`` raises."""
    _check_locations(loaded, purchase)
    return decide(
        terms_of(loaded),
        Uses(in_all=loaded.redemptions_in_all, by_customer=loaded.redemptions_by_customer),
        order_amount=purchase.order_amount,
        currency=purchase.currency,
        occurred_at=purchase.redeemed_at,
    )


def terms_of(loaded: Row[Any]) -> Terms:
    return Terms(**{name: getattr(loaded, name) for name in _TERMS})


def _check_locations(loaded: Row[Any], purchase: Purchase) -> None:
    """Both locations are in the directory, or their owner is asked; ``UnknownLocation`` if it has none."""
    if loaded.time_zone is None:
        raise MissingFromDirectory(partner_location_id=loaded.partner_location_id, otherwise=UnknownLocation())
    if purchase.partner_location_id is not None and loaded.sale_location_id is None:
        raise MissingFromDirectory(partner_location_id=purchase.partner_location_id, otherwise=UnknownLocation())
