"""``make backup`` under load, then ``make restore``: what came later is gone, and tills that repeat everything
credit nothing twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loyalty_local import container_backups
from loyalty_local.layout import DATABASES
from tests.compose.load import crediting, open_card, purchase

pytestmark = pytest.mark.timeout(600)

BEFORE, AFTER = 100, 60


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_backup_under_load_is_put_in_place_of_everything(stack: Any, merchant: Any, tmp_path: Path) -> None:
    keeper = container_backups.Keeper(stack)
    card_id = open_card(merchant)

    def credit(path: str, sent: dict[str, Any]) -> Any:
        return merchant.api.call("POST", path, sent, key=sent["reference"])

    with crediting(credit, card_id) as tills:
        wait_for(lambda: len(tills.answers) >= BEFORE)
        keeper.back_up(tmp_path / "backup")
        so_far = len(tills.answers)
        wait_for(lambda: len(tills.answers) >= so_far + AFTER)
    assert tills.failed == {}, "a backup is no reason to fail"

    assert keeper.restore(tmp_path / "backup")["faults"] == []

    ledger = f"select count(*), count(distinct reference) from points_transactions where loyalty_card_id = {card_id}"
    [kept] = stack.query("programs", ledger)
    assert BEFORE <= int(kept.partition("|")[0]) < len(tills.answers)
    for number in range(len(tills.answers)):
        path, sent = f"/loyalty-cards/{card_id}/transactions", purchase(number)
        assert merchant.patient.call("POST", path, sent, key=sent["reference"]).status_code == 201
    assert stack.query("programs", ledger) == [f"{len(tills.answers)}|{len(tills.answers)}"]
    assert stack.ledger_findings()["faults"] == []


def test_the_databases_are_those_that_the_services_use() -> None:
    assert container_backups.DATABASES == DATABASES
