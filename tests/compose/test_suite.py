"""The suite in containers: restarts and kills lose nothing, a new build takes over without a failed request."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
import yaml

from loyalty_local.containers import ROOT
from loyalty_local.docker import run
from loyalty_testing.reference import Journey
from tests.compose.load import crediting, open_card

pytestmark = pytest.mark.timeout(600)


def test_the_references_journey_goes_on_while_broker_and_database_are_restarted(
    stack: Any, merchant: Any, receiver: Any
) -> None:
    secret = merchant.api.data("POST", "/webhook-endpoints", {"url": receiver.url})["signing_secret"]
    journey = Journey(merchant.patient, partner_location_id=merchant.partner_location_id)
    journey.meet()
    stack.compose("restart", "rabbitmq")
    journey.earn()
    stack.compose("restart", "postgres")
    journey.collect()
    stack.wait_ready()
    journey.redeem()

    heard = [
        *receiver.events("customer.created", 42, timeout_s=90),
        *receiver.events("loyalty.points_earned", 2),
        *receiver.events("stamp.issued", 1),
        *receiver.events("voucher.redeemed", 1),
    ]
    assert all(one.is_signed_with(secret) for one in heard)


def test_a_new_build_takes_over_two_instances_under_load_without_a_failed_request(
    stack: Any, merchant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice = ["--scale", "programs=2", "--scale", "webhooks-deliver=2"]
    stack.compose("up", "--detach", "--no-deps", "--no-recreate", *twice, "programs", "webhooks-deliver")
    stack.wait_ready()
    card_id = open_card(merchant)
    before = set(stack.ids("programs"))
    monkeypatch.setenv("VERSION", "next")

    with crediting(lambda path, sent: merchant.api.call("POST", path, sent), card_id) as tills:
        stack.roll("programs")

    assert tills.failed == {}
    assert len(tills.answers) > 100
    assert len(stack.ids("programs")) == len(stack.ids("webhooks-deliver")) == len(before) == 2
    assert not before & set(stack.ids("programs"))
    processes = [name for name in stack.processes() if name.partition("-")[0] == "programs"]
    labels = [stack.state(container)["Config"]["Labels"] for container in stack.ids(*processes)]
    assert {label["org.opencontainers.image.version"] for label in labels} == {"next"}


def kill(pid: int) -> None:
    """SIGKILL from outside, as the system does it. Docker's own kill counts as a stop, and nothing is started again."""
    program = ["--entrypoint=python3", "loyalty/gateway:local", "-c", f"import os; os.kill({pid}, 9)"]
    run("docker", "run", "--rm", "--pid=host", "--user=0", *program)


def kept_running() -> set[str]:
    """All that docker-compose.yml starts if nothing more is asked of it, and that does not end by itself."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return {name for name, one in services.items() if one["restart"] != "no" and "profiles" not in one}


def test_each_container_is_killed_once_under_load_and_nothing_is_lost(stack: Any, merchant: Any, receiver: Any) -> None:
    card_id = open_card(merchant)
    wanted = {"url": receiver.url, "events": ["loyalty.points_earned"]}
    merchant.patient.data("POST", "/webhook-endpoints", wanted)
    assert kept_running() <= set(stack.processes())
    containers = stack.ids(*stack.processes())
    before = {container: stack.state(container)["State"]["StartedAt"] for container in containers}

    with crediting(merchant.patient.insist, card_id) as tills:
        for container in random.sample(containers, len(containers)):
            kill(stack.state(container)["State"]["Pid"])
            time.sleep(random.uniform(0.2, 1.5))

    assert tills.failed == {}
    assert len(tills.answers) > 200
    stack.wait_ready()
    after = {container: stack.state(container)["State"] for container in containers}
    assert all(state["Running"] and state["StartedAt"] != before[name] for name, state in after.items())

    earned = f"select count(*), count(distinct reference) from points_transactions where loyalty_card_id = {card_id}"
    assert stack.query("programs", earned) == [f"{len(tills.answers)}|{len(tills.answers)}"]
    assert stack.ledger_findings()["faults"] == []
    receiver.wait_for(lambda all_: len({one.envelope["id"] for one in all_}) >= len(tills.answers), timeout_s=120)
    references = {one.envelope["data"]["purchase_reference"] for one in receiver.received}
    assert references == set(tills.answers)


def test_down_leaves_nothing_behind(stack: Any) -> None:
    """Comes last: what it takes down the others have used."""
    project = f"label=com.docker.compose.project={stack.variables['COMPOSE_PROJECT_NAME']}"
    stack.down(volumes=True)
    for what in (["ps", "--all"], ["volume", "ls"], ["network", "ls"]):
        assert run("docker", *what, "--quiet", "--filter", project) == ""
