"""What a session's token looks like."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_gateway.domain import keys, session_tokens

ENTROPY = st.binary(min_size=keys.ENTROPY_BYTES, max_size=keys.ENTROPY_BYTES)


@given(ENTROPY)
def test_a_token_is_recognised_and_is_no_key(entropy):
    token = session_tokens.mint(entropy)
    assert token.startswith("lps_")
    assert session_tokens.kid_of(token) == token[4:14]
    assert keys.kid_of(token) is None
    assert session_tokens.kid_of(keys.mint(mode="live", entropy=entropy)) is None


@given(ENTROPY, st.integers(0, 63), st.sampled_from(string.ascii_letters + string.digits + "_-é\n"))
def test_a_token_with_another_character_is_garbage(entropy, place, character):
    token = session_tokens.mint(entropy)
    changed = token[:place] + character + token[place + 1 :]
    assert changed == token or session_tokens.kid_of(changed) is None


@pytest.mark.parametrize("text", ["", "lps_", "lps_" + "_" * 60, "lps_" + "A" * 60])
def test_what_we_cannot_have_given_out_is_garbage(text):
    assert session_tokens.kid_of(text) is None
