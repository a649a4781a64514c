"""Partner locations, as part of *load*: where a card is at home, and where a sale was made."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, bindparam
from sqlalchemy.types import BigInteger

from loyalty_common.directory import MissingFromDirectory
from loyalty_programs.domain.errors import UnknownLocation
from loyalty_programs.models import directory

HOME = directory.locations.alias("home")
"""The location of a card: its dates are days in its time zone."""

SALE = directory.locations.alias("sale")
"""The location that the request names; parameters ``organization_id`` and ``partner_location_id``."""

COLUMNS = (HOME.c.time_zone.label("home_time_zone"), SALE.c.partner_location_id.label("sale_location_id"))


def is_home_of(card: FromClause) -> ColumnElement[bool]:
    return and_(
        HOME.c.organization_id == card.c.organization_id, HOME.c.partner_location_id == card.c.partner_location_id
    )


IS_NAMED = and_(
    SALE.c.organization_id == bindparam("organization_id", type_=BigInteger),
    SALE.c.partner_location_id == bindparam("partner_location_id", type_=BigInteger),
)


def check_known(loaded: Any, *, partner_location_id: int | None) -> None:
    """Both locations are in the directory, or their owner is asked; ``UnknownLocation`` if it has none."""
    if loaded.home_time_zone is None:
        raise missing(loaded.home_location_id)
    if partner_location_id is not None and loaded.sale_location_id is None:
        raise missing(partner_location_id)


def missing(partner_location_id: int) -> MissingFromDirectory:
    return MissingFromDirectory(partner_location_id=partner_location_id, otherwise=UnknownLocation())
