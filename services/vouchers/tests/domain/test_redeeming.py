"""The decision of a redemption, rule by rule."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_common.errors import ApiError
from loyalty_common.money import minor_digits
from loyalty_vouchers.domain import errors
from loyalty_vouchers.domain.redeeming import Terms, Uses, decide, discount_on

SPRING = Terms(
    is_active=True,
    valid_from=date(2026, 3, 1),
    valid_until=date(2026, 5, 31),
    time_zone="America/New_York",
    discount_type="percent",
    discount_value=Decimal(20),
    currency="USD",
    minimum_order_amount=None,
    max_discount_amount=None,
    max_redemptions=None,
    max_redemptions_per_customer=None,
)
UNUSED = Uses(in_all=0, by_customer=0)
IN_MAY = datetime(2026, 5, 16, 10, 18, tzinfo=UTC)


def amounts(digits: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(1).scaleb(-digits), Decimal("9999999999"), places=digits)


@st.composite
def any_terms(draw: st.DrawFn) -> Terms:
    currency = draw(st.sampled_from(["JPY", "USD", "KWD"]))
    digits = minor_digits(currency)
    kind = draw(st.sampled_from(["percent", "fixed"]))
    percent = st.decimals(Decimal("0.01"), Decimal(100), places=2)
    return replace(
        SPRING,
        currency=currency,
        discount_type=kind,
        discount_value=draw(percent if kind == "percent" else amounts(digits)),
        max_discount_amount=draw(st.none() | amounts(digits)),
    )


@pytest.mark.parametrize(
    ("currency", "percent", "order_amount", "discount"),
    [
        ("USD", "20", "45.00", "9.00"),
        ("USD", "15", "0.10", "0.02"),
        ("USD", "12.5", "0.20", "0.03"),
        ("USD", "0.01", "1.00", "0.00"),
        ("USD", "100", "45.00", "45.00"),
        ("JPY", "15", "1000", "150"),
        ("JPY", "0.5", "100", "1"),
        ("JPY", "0.49", "100", "0"),
        ("KWD", "10", "1.235", "0.124"),
        ("KWD", "10", "1.234", "0.123"),
    ],
)
def test_a_percentage_is_rounded_half_up_to_the_smallest_coin(
    currency: str, percent: str, order_amount: str, discount: str
) -> None:
    terms = replace(SPRING, currency=currency, discount_value=Decimal(percent))
    assert str(discount_on(terms, Decimal(order_amount))) == discount


@pytest.mark.parametrize(("order_amount", "discount"), [("4.99", "4.99"), ("5.00", "5.00"), ("5.01", "5.00")])
def test_a_fixed_discount_is_never_more_than_the_order(order_amount: str, discount: str) -> None:
    terms = replace(SPRING, discount_type="fixed", discount_value=Decimal("5.00"))
    assert discount_on(terms, Decimal(order_amount)) == Decimal(discount)


def test_a_percentage_stops_at_the_cap() -> None:
    terms = replace(SPRING, max_discount_amount=Decimal("5.00"))
    assert discount_on(terms, Decimal("24.99")) == Decimal("5.00")
    assert discount_on(terms, Decimal("1000.00")) == Decimal("5.00")
    assert discount_on(terms, Decimal("20.00")) == Decimal("4.00")


@given(st.data())
def test_no_discount_exceeds_order_or_cap_or_splits_a_coin(data: st.DataObject) -> None:
    terms = data.draw(any_terms())
    order_amount = data.draw(amounts(minor_digits(terms.currency)))
    discount = discount_on(terms, order_amount)
    assert 0 <= discount <= order_amount
    assert terms.max_discount_amount is None or discount <= terms.max_discount_amount
    assert discount == round(discount, minor_digits(terms.currency))


@given(st.data())
def test_an_uncapped_percentage_is_within_half_a_coin_of_exact_and_ties_favour_the_customer(
    data: st.DataObject,
) -> None:
    terms = replace(data.draw(any_terms()), discount_type="percent", max_discount_amount=None)
    terms = replace(terms, discount_value=data.draw(st.decimals(Decimal("0.01"), Decimal(100), places=2)))
    order_amount = data.draw(amounts(minor_digits(terms.currency)))
    error = discount_on(terms, order_amount) - order_amount * terms.discount_value / 100
    half_a_coin = Decimal("0.5").scaleb(-minor_digits(terms.currency))
    assert -half_a_coin < error <= half_a_coin


@given(st.data())
def test_a_larger_order_is_never_discounted_less(data: st.DataObject) -> None:
    terms = data.draw(any_terms())
    smaller, larger = sorted(data.draw(st.tuples(*[amounts(minor_digits(terms.currency))] * 2)))
    assert discount_on(terms, smaller) <= discount_on(terms, larger)


@pytest.mark.parametrize(
    ("changed", "uses", "refusal"),
    [
        ({"is_active": False}, UNUSED, errors.VoucherInactive),
        ({"valid_from": date(2026, 5, 17)}, UNUSED, errors.VoucherNotYetValid),
        ({"valid_until": date(2026, 5, 15)}, UNUSED, errors.VoucherExpired),
        ({"currency": "JPY"}, UNUSED, errors.TooManyDecimals),
        ({"max_redemptions": 3}, Uses(in_all=3, by_customer=0), errors.VoucherLimitReached),
        ({"max_redemptions_per_customer": 2}, Uses(in_all=2, by_customer=2), errors.VoucherAlreadyRedeemed),
        ({"minimum_order_amount": Decimal("45.51")}, UNUSED, errors.MinimumOrderNotMet),
    ],
)
def test_each_rule_refuses_by_its_own_name(changed: dict[str, object], uses: Uses, refusal: type[ApiError]) -> None:
    with pytest.raises(refusal):
        decide(replace(SPRING, **changed), uses, order_amount=Decimal("45.50"), currency=None, occurred_at=IN_MAY)


def test_an_order_in_another_currency_is_refused() -> None:
    with pytest.raises(errors.CurrencyMismatch):
        decide(SPRING, UNUSED, order_amount=Decimal(45), currency="EUR", occurred_at=IN_MAY)
    assert decide(SPRING, UNUSED, order_amount=Decimal(45), currency="USD", occurred_at=IN_MAY) == 9


@pytest.mark.parametrize(
    ("changed", "uses"),
    [
        ({"valid_from": date(2026, 5, 16), "valid_until": date(2026, 5, 16)}, UNUSED),
        ({"valid_from": None, "valid_until": None}, UNUSED),
        ({"max_redemptions": 3}, Uses(in_all=2, by_customer=2)),
        ({"max_redemptions_per_customer": 2}, Uses(in_all=900, by_customer=1)),
        ({"minimum_order_amount": Decimal("45.50")}, UNUSED),
    ],
)
def test_the_last_day_use_and_cent_still_count(changed: dict[str, object], uses: Uses) -> None:
    terms = replace(SPRING, **changed)
    assert decide(terms, uses, order_amount=Decimal("45.50"), currency=None, occurred_at=IN_MAY) == Decimal("9.10")


@given(
    in_all=st.integers(0, 50),
    by_customer=st.integers(0, 50),
    max_redemptions=st.none() | st.integers(1, 50),
    per_customer=st.none() | st.integers(1, 50),
)
def test_a_redemption_is_granted_exactly_while_both_limits_leave_room(
    in_all: int, by_customer: int, max_redemptions: int | None, per_customer: int | None
) -> None:
    terms = replace(SPRING, max_redemptions=max_redemptions, max_redemptions_per_customer=per_customer)
    has_room = (max_redemptions is None or in_all < max_redemptions) and (
        per_customer is None or by_customer < per_customer
    )
    try:
        decide(
            terms,
            Uses(in_all=in_all, by_customer=by_customer),
            order_amount=Decimal(10),
            currency=None,
            occurred_at=IN_MAY,
        )
    except (errors.VoucherLimitReached, errors.VoucherAlreadyRedeemed):
        assert not has_room
    else:
        assert has_room
