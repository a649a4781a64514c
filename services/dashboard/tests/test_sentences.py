"""What the API says comes to the reader in his language, and never less than it said."""

from pathlib import Path

import pytest

from loyalty_common import fields
from loyalty_dashboard.api import ApiError
from loyalty_dashboard.app import create_app
from loyalty_dashboard.settings import Settings
from loyalty_dashboard.web import sentences

CONTRACTS = Path(__file__).parents[3] / "contracts"


@pytest.fixture
def german():
    api = "http://127.0.0.1:9/api/v1"
    keys = {1: b"k" * 32}
    app = create_app(Settings("", 1, 1, "http://127.0.0.1:9/dashboard", api, api, CONTRACTS, keys, "error", 0))
    with app.test_request_context(headers={"Accept-Language": "de"}):
        yield


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The name field is required.", "Dieses Feld muss ausgefüllt sein."),
        ("The overlap hours field must be between 0 and 168.", "Das muss zwischen 0 und 168 liegen."),
        ("The name field may not be longer than 255 characters.", "Das darf höchstens 255 Zeichen haben."),
        ("A sentence that nobody has met.", "A sentence that nobody has met."),
    ],
)
def test_a_sentence_is_translated_with_its_figures_or_left_as_it_is(german, said, shown):
    assert sentences.translated(said) == shown


def test_a_refused_rule_is_told_in_the_readers_language(german):
    body = {"error": {"message": "The voucher is not active.", "reason": "voucher_inactive", "details": {}}}
    assert sentences.of_error(ApiError(400, body, {})) == "Dieser Gutschein ist pausiert."
    body["error"] |= {"message": "This voucher expired on 2026-05-31.", "reason": "voucher_expired"}
    assert sentences.of_error(ApiError(400, body, {})) == "This voucher expired on 2026-05-31."


def test_the_sentences_of_fields_are_still_the_ones_that_are_looked_for(german):
    """Made by the fields themselves, so that a new wording there is found here."""

    class Sent(fields.Schema):
        name = fields.Text(required=True, max_length=3)
        email = fields.Email(required=True)
        count = fields.Integer(maximum=3)
        expires_at = fields.Timestamp()

    wrong = {"name": "long", "email": "x", "count": "many", "expires_at": "soon"}
    said = fields.sentences(Sent().validate(wrong))
    assert said.keys() == wrong.keys()
    for told in (one for several in said.values() for one in several):
        assert sentences.translated(told) != told
