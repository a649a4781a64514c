import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_customers.domain import profiles
from loyalty_customers.domain.errors import PhoneNotPossible


@pytest.mark.parametrize(
    ("phone", "country", "written"),
    [
        ("+15551234567", "DE", "+15551234567"),
        ("(555) 123-4567", "US", "+15551234567"),
        ("030 901820", "DE", "+4930901820"),
        ("00 49 30 901820", "DE", "+4930901820"),
    ],
)
def test_a_number_is_kept_as_the_world_dials_it(phone: str, country: str, written: str) -> None:
    assert profiles.e164(phone, country=country) == written


@pytest.mark.parametrize("phone", ["12", "call me", "+999999999999999999", "+"])
def test_a_number_that_cannot_be_one_is_refused(phone: str) -> None:
    with pytest.raises(PhoneNotPossible):
        profiles.e164(phone, country="US")


@given(st.text(min_size=1))
def test_whatever_is_stored_finds_itself_in_any_case(name: str) -> None:
    assert profiles.searchable(name.upper()) in profiles.searchable(name.upper(), "alex@example.com")
    assert profiles.searchable(profiles.searchable(name)) == profiles.searchable(name)


@pytest.mark.parametrize(("term", "digits"), [("(555) 123", "555123"), ("alex 5", None), ("+", None), ("5", "5")])
def test_only_what_looks_like_a_number_is_searched_as_one(term: str, digits: str | None) -> None:
    assert profiles.phone_digits(term) == digits
