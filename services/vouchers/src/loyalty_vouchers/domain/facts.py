"""What a redemption is decided from: two statements, since the second must see what the lock waited for."""

from __future__ import annotations

from sqlalchemy import BigInteger, and_, bindparam, case, func, literal_column, or_, select

from loyalty_common.database import Rendered
from loyalty_common.idempotency import replay_columns, same_key
from loyalty_vouchers.domain import people, queries
from loyalty_vouchers.models import Redemption, Voucher, directory, idempotency, redemption_ids

_VOUCHERS = Voucher.__table__
_REDEMPTIONS = Redemption.__table__
_EARLIER = _REDEMPTIONS.alias("earlier")
_CUSTOMERS = directory.customers
_HOME = directory.locations.alias("home")
_SALE = directory.locations.alias("sale")
_TENANT = bindparam("tenant_id", type_=BigInteger)

_IS_LIMITED = or_(_VOUCHERS.c.max_redemptions.is_not(None), _VOUCHERS.c.max_redemptions_per_customer.is_not(None))

# A limited voucher's row is the lock of its redemptions. An unlimited one locks nothing: its tills never wait for
# each other, and unique constraints decide between two that send the same key or order reference.
LOCK = Rendered(
    select(_VOUCHERS.c.id)
    .where(_VOUCHERS.c.tenant_id == _TENANT, _VOUCHERS.c.id == bindparam("voucher_id"), _IS_LIMITED)
    .with_for_update()
)

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
LOAD = Rendered(
    select(
        _VOUCHERS,
        _IS_LIMITED.label("is_limited"),
        _redemptions_in_all.label("redemptions_in_all"),
        _redemptions_by_customer.label("redemptions_by_customer"),
        _HOME.c.time_zone,
        _SALE.c.partner_location_id.label("sale_location_id"),
        *people.COLUMNS,
        _EARLIER.c.id.label("earlier_id"),
        redemption_ids.next_value().label("next_id"),
        *replay_columns(idempotency),
    )
    .select_from(
        _VOUCHERS.outerjoin(idempotency, same_key(idempotency))
        .outerjoin(
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
    .where(_VOUCHERS.c.tenant_id == _TENANT, _VOUCHERS.c.id == bindparam("voucher_id"))
)
