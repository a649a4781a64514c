"""How often somebody without credentials may try."""

import pytest

from loyalty_common.errors import RateLimited
from loyalty_gateway.domain.limits import LocalLimits
from loyalty_gateway.domain.visitor_limits import VisitorLimits


class Clock:
    def __init__(self):
        self.seconds = 1_000_000

    def __call__(self):
        return self.seconds * 1_000_000


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limits(clock):
    return VisitorLimits(LocalLimits(clock_us=clock))


def taken(attempt, times=1_000):
    """How many go through before one is refused, and what that one is told to wait."""
    for number in range(times):
        try:
            attempt(number)
        except RateLimited as refusal:
            return number, int(refusal.headers["Retry-After"])
    return times, 0


def test_one_account_takes_ten_at_once_and_then_one_in_half_a_minute(limits, clock):
    def sign_in(number):
        limits.sign_in(email=" Robin@Example.com"[number % 2 :], address=f"203.0.113.{number}")

    assert taken(sign_in) == (10, 30)
    clock.seconds += 30
    assert taken(sign_in) == (1, 30)


def test_one_address_takes_sixty_whatever_the_accounts(limits):
    assert taken(lambda n: limits.sign_in(email=f"{n}@example.com", address="203.0.113.7")) == (60, 3)
    limits.sign_in(email="robin@example.com", address="203.0.113.8")


def test_the_addresses_of_one_household_are_one(limits):
    assert taken(lambda n: limits.sign_in(email=f"{n}@example.com", address=f"2001:db8:1:1::{n + 1:x}")) == (60, 3)


def test_resets_are_counted_apart_from_signing_in(limits):
    assert taken(lambda _: limits.reset(email="robin@example.com", address="203.0.113.7")) == (3, 1_200)
    limits.sign_in(email="robin@example.com", address="203.0.113.7")


def test_links_and_sign_ups_are_counted_by_address(limits):
    assert taken(lambda _: limits.link(address="203.0.113.7")) == (20, 10)
    assert taken(lambda _: limits.sign_up(address="203.0.113.7")) == (5, 1_200)


def test_no_address_of_a_person_is_a_key_of_the_store():
    class Remembering(LocalLimits):
        def take(self, buckets):
            self.keys = [bucket.store_key for bucket in buckets]
            return super().take(buckets)

    limits = Remembering()
    VisitorLimits(limits).sign_in(email="robin@example.com", address="203.0.113.7")
    assert not any("robin" in key for key in limits.keys)
