import random
import re

from loyalty_vouchers.domain.codes import generated_code


def test_a_generated_code_has_nothing_that_is_misread() -> None:
    codes = {generated_code(random.Random(seed).randrange) for seed in range(500)}
    assert len(codes) == 500
    assert all(re.fullmatch("[A-HJ-NP-Z2-9]{10}", code) for code in codes)
