"""The examples of the reference, request and response, and the journey of a merchant who sends them all."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from loyalty_testing.integrator import Integrator

REFERENCE = Path(__file__).parents[4] / "contracts/partner-api.txt"
EXAMPLE = re.compile(
    r"Example request\n\n(GET|POST) https://neqat\.site/api/v1(\S+)\n\n"
    r"(?:(\{.*?\n\})\n\n)?Example response\n\n(\{.*?\n\})\n",
    re.DOTALL,
)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
DECIMAL = re.compile(r"\d+\.\d\d")
DATE = re.compile(r"\d{4}-\d\d-\d\d")
TODAY = datetime.now(UTC).date()
# What an example names, and what this merchant has in its place.
DATES = {
    "date_issued": TODAY - timedelta(days=1),
    "valid_from": TODAY - timedelta(days=30),
    "valid_until": TODAY + timedelta(days=30),
}


@dataclass(frozen=True)
class Example:
    method: str
    path: str
    body: dict[str, Any] | None
    response: dict[str, Any]

    @property
    def title(self) -> str:
        return f"{self.method} {re.sub(r'[0-9]+', '{id}', self.path.partition('?')[0])}"


def examples() -> list[Example]:
    return [
        Example(method, path, json.loads(body) if body else None, json.loads(response))
        for method, path, body, response in EXAMPLE.findall(REFERENCE.read_text())
    ]


EXAMPLES = {example.title: example for example in examples()}


def assert_same_shape(example: Any, answer: Any, where: str = "") -> None:
    """Every key of the example is there, every value of its kind; where it shows null, anything may stand."""
    if isinstance(example, dict):
        assert isinstance(answer, dict), where
        assert set(example) <= set(answer), f"{where} lacks {set(example) - set(answer)}"
        for key, value in example.items():
            assert_same_shape(value, answer[key], f"{where}.{key}")
    elif isinstance(example, list):
        assert isinstance(answer, list), where
        assert answer or not example, f"{where} is empty"
        for shown, item in zip(example, answer, strict=False):
            assert_same_shape(shown, item, f"{where}[]")
    elif isinstance(example, str):
        for form in (TIME, DECIMAL, DATE):
            if form.fullmatch(example):
                assert form.fullmatch(answer), f"{where}: {answer!r} is not like {example!r}"
                return
        assert isinstance(answer, str), where
    elif example is not None:
        assert type(answer) is type(example), f"{where}: {answer!r} is not like {example!r}"


class Journey:
    """Sends the examples as a new merchant would: with his own ids, and on days that are not over.

    Its chapters, in their order: ``meet``, ``earn``, ``collect``, ``redeem``. Where it finds an answer that the
    reference does not give, it says so with an AssertionError.
    """

    def __init__(self, api: Integrator, *, partner_location_id: int) -> None:
        self._api = api
        self._ids = {"partner_location_id": partner_location_id}

    def play(self, title: str, status: int, **more: Any) -> Any:
        """``data`` of the answer to an example; ``more`` is sent besides."""
        example = EXAMPLES[title]
        noun = example.path.split("/")[1].partition("?")[0]
        body = None if example.body is None else {**example.body, **self._own(example.body), **more}
        path = re.sub(r"/[0-9]+", lambda _: f"/{self._ids[noun]}", example.path)
        response = self._api.call(example.method, path, body)
        assert response.status_code == status, response.text
        assert_same_shape(example.response, response.json(), title)
        data = response.json()["data"]
        if example.path == f"/{noun}" and example.method == "POST":
            self._ids[noun] = self._ids[f"{noun.removesuffix('s')}_id"] = data["id"]
        return data

    def meet(self) -> None:
        """In the order in which a merchant gets there; the figures are those of the examples."""
        customer = self.play("POST /customers", 201)
        assert self.play("POST /customers", 200) == customer
        assert self.play("GET /customers/{id}", 200) == customer
        for number in range(41):
            namesake = {"email": f"alex{number}@example.com", "name": "Alex", "phone": "+15551234567"}
            self._api.data("POST", "/customers", namesake)
        # The oldest of 42, so the last of the last page.
        assert len(self.play("GET /customers", 200)) == 15
        assert self._api.data("GET", "/customers?search=alex&page=3")[-1] == customer

    def earn(self) -> None:
        card = self.play("POST /loyalty-cards", 201)
        assert re.fullmatch(r"\d{3}-\d{3}-\d{3}-\d{3}", card["card_identifier"])
        assert (card["earn_spend_amount"], card["expiry_date"]) == ("10.00", None)
        named = {"card_identifier": "RIVERSIDE-INSIDER", "expiry_date": DATES["valid_until"].isoformat()}
        card = self.play("POST /loyalty-cards", 201, **named)
        assert card | named == card
        assert self.play("GET /loyalty-cards/{id}", 200) == card
        assert self.play("GET /loyalty-cards", 200)[0] == card
        enrolled = self.play("POST /loyalty-cards/{id}/enrollments", 201)
        assert [row["points_delta"] for row in enrolled["initial_bonus_transactions"]] == [50]
        earned = self.play("POST /loyalty-cards/{id}/transactions", 201)
        assert (earned["type"], earned["points_delta"], earned["points_balance_after"]) == ("earn", 2, 52)

    def collect(self) -> None:
        stamp_card = self.play("POST /stamp-cards", 201)
        assert self.play("GET /stamp-cards", 200) == [stamp_card]
        [stamp] = self.play("POST /stamp-cards/{id}/stamps", 201)
        assert (stamp["stamps_delta"], stamp["stamps_balance_after"]) == (1, 1)

    def redeem(self) -> None:
        voucher = self.play("POST /vouchers", 201)
        assert self.play("GET /vouchers", 200) == [voucher]
        redemption = self.play("POST /vouchers/{id}/redeem", 201)
        assert (redemption["order_amount"], redemption["discount_amount"]) == ("45.00", "9.00")

    def _own(self, body: dict[str, Any]) -> dict[str, Any]:
        days = {key: day.isoformat() for key, day in DATES.items()}
        return {key: value for key, value in {**days, **self._ids}.items() if key in body}
