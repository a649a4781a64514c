"""What a redemption is decided from: two statements, since the second must see what the lock waited for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, case, func, literal_column, select

from loyalty_common.database import Rendered
from loyalty_common.errors import NotFound
from loyalty_common.idempotency import replay_columns, same_key
from loyalty_vouchers.domain import locks, people, queries
from loyalty_vouchers.domain.errors import UnknownVoucherCode
from loyalty_vouchers.models import Redemption, Voucher, directory, idempotency, redemption_ids

_VOUCHERS = Voucher.__table__
_REDEMPTIONS = Redemption.__table__
_EARLIER = _REDEMPTIONS.alias("earlier")
_CUSTOMERS = directory.customers
_HOME = directory.locations.alias("home")
_SALE = directory.locations.alias("sale")
_TENANT = bindparam("tenant_id", type_=BigInteger)

# Counted only where a limit asks for it: one customer record can stand for every walk-in of a shop.
_redemptions_in_all = case(
    (_VOUCHERS.c.max_redemptions.is_not(None), queries.redemptions_count), else_=literal_column("0")
)
_redemptions_by_customer = case(
    (
        _VOUCHERS.c.max_redemptions_per_customer.is_not(None),
        select(func.count())
        .where(
            _REDEMPTIONS.c.tenant_id == _TENANT,
            _REDEMPTIONS.c.voucher_id == _VOUCHERS.c.id,
            _REDEMPTIONS.c.customer_id == _CUSTOMERS.c.customer_id,
            _REDEMPTIONS.c.rolled_back_at.is_(None),
        )
        .scalar_subquery(),
    ),
    else_=literal_column("0"),
)

# No row if the voucher does not exist; two if an e-mail is passing from one customer to another.
_JUDGED = (
    select(
        _VOUCHERS,
        _redemptions_in_all.label("redemptions_in_all"),
        _redemptions_by_customer.label("redemptions_by_customer"),
        _HOME.c.time_zone,
        _SALE.c.partner_location_id.label("sale_location_id"),
        *people.COLUMNS,
    )
    .select_from(
        _VOUCHERS.outerjoin(
            _HOME,
            and_(
                _HOME.c.organization_id == _VOUCHERS.c.organization_id,
                _HOME.c.partner_location_id == _VOUCHERS.c.partner_location_id,
            ),
        )
        .outerjoin(
            _SALE,
            and_(
                _SALE.c.organization_id == _VOUCHERS.c.organization_id,
                _SALE.c.partner_location_id == bindparam("partner_location_id"),
            ),
        )
        .outerjoin(_CUSTOMERS, people.IS_NAMED)
    )
    .where(_VOUCHERS.c.tenant_id == _TENANT)
)
_RECORDED = (
    _JUDGED.add_columns(
        locks.IS_LIMITED.label("is_limited"),
        _EARLIER.c.id.label("earlier_id"),
        redemption_ids.next_value().label("next_id"),
        *replay_columns(idempotency),
    )
    .outerjoin(idempotency, same_key(idempotency))
    .outerjoin(
        _EARLIER,
        and_(
            _EARLIER.c.tenant_id == _TENANT,
            _EARLIER.c.voucher_id == _VOUCHERS.c.id,
            _EARLIER.c.order_reference == bindparam("order_reference"),
            _EARLIER.c.rolled_back_at.is_(None),
        ),
    )
)


class _Statements:
    """Those for vouchers that are named in one way. ``ask`` is ``load`` without what only a record needs."""

    def __init__(self, is_named: ColumnElement[bool]) -> None:
        self.lock = locks.for_redeeming(is_named)
        self.load = Rendered(_RECORDED.where(is_named))
        self.ask = Rendered(_JUDGED.where(is_named))


_BY_ID = _Statements(_VOUCHERS.c.id == bindparam("voucher_id"))
_BY_CODE = _Statements(func.lower(_VOUCHERS.c.voucher_code) == func.lower(bindparam("voucher_code")))


@dataclass(frozen=True, slots=True)
class VoucherName:
    """By the id in a path or by the code in a body, which ignores case."""

    voucher_id: int | None = None
    voucher_code: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        return {"voucher_id": self.voucher_id} if self.voucher_code is None else {"voucher_code": self.voucher_code}

    @property
    def statements(self) -> _Statements:
        return _BY_ID if self.voucher_code is None else _BY_CODE

    @property
    def unknown(self) -> Exception:
        return NotFound() if self.voucher_code is None else UnknownVoucherCode()
