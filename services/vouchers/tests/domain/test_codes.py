import random
import re

import pytest

from loyalty_vouchers.domain.codes import generated_code, least_length


def test_a_generated_code_has_nothing_that_is_misread() -> None:
    codes = {generated_code(random.Random(seed).randrange) for seed in range(500)}
    assert len(codes) == 500
    assert all(re.fullmatch("[A-HJ-NP-Z2-9]{10}", code) for code in codes)


def test_a_code_has_its_prefix_and_as_many_characters_as_are_asked_for() -> None:
    assert re.fullmatch("MAY-[A-HJ-NP-Z2-9]{3}", generated_code(random.Random(1).randrange, prefix="MAY-", length=3))


def test_every_code_of_a_length_can_be_drawn() -> None:
    codes = [generated_code(lambda n, at=at: at, length=2) for at in range(32**2)]  # type: ignore[misc]
    assert len(set(codes)) == 32**2


@pytest.mark.parametrize(("quantity", "length"), [(1, 2), (10, 2), (11, 3), (327, 3), (328, 4), (100_000, 5)])
def test_a_hundred_guesses_find_one_code_of_a_batch_at_most(quantity: int, length: int) -> None:
    assert least_length(quantity) == length
    assert 32**length >= 100 * quantity > 32 ** (length - 1)
