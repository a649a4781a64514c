"""The secrets of an installation."""

import stat

from loyalty_common.identity import TokenSigner, TokenVerifier
from loyalty_local.keys import Keys


def test_keys_are_made_once_and_only_their_owner_reads_them(tmp_path):
    made = Keys.of(tmp_path / "keys.json")

    assert Keys.of(tmp_path / "keys.json") == made
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_two_installations_share_no_secret(tmp_path):
    one, other = Keys.of(tmp_path / "one.json"), Keys.of(tmp_path / "other.json")

    assert one.installation != other.installation
    assert not set(one.private_keys.values()) & set(other.private_keys.values())
    assert one.key_peppers != other.key_peppers


def test_services_recognise_what_the_gateways_key_signed(tmp_path):
    keys = Keys.of(tmp_path / "keys.json")
    token = TokenSigner("programs", keys.private_keys["programs"]).mint("customers", tenant_id=7)

    caller = TokenVerifier("customers", keys.public_keys).verify(f"Bearer {token}")

    assert (caller.issuer, caller.tenant_id) == ("programs", 7)
