"""An endpoint is made, tried, changed, paused and deleted, its deliveries are seen and sent again: all with forms."""

import re

import pytest


@pytest.fixture
def manager(arrive):
    return arrive("manager")


@pytest.fixture
def made(manager, receiver):
    """The page that shows a new secret, of an endpoint at ``receiver``."""
    form = manager.open("/dashboard/webhook-endpoints/new").form()
    return manager.send(form, url=receiver.url, description="Back office", which="chosen", events=["customer.created"])


@pytest.fixture
def path(made):
    number = re.search(r"/webhook-endpoints/(\d+)", " ".join(made.links))[1]
    return f"/dashboard/webhook-endpoints/{number}"


@pytest.fixture
def delivery(manager, merchant, receiver, path, wait_until):
    """The page of a delivery that arrived."""
    merchant.api.data("POST", "/customers", {"email": "alex@example.com", "name": "<script>alert(1)</script>"})
    receiver.wait_for(lambda received: received)
    wait_until(lambda: "Delivered" in manager.open(f"{path}").text.partition("Latest deliveries")[2])
    [link] = {link for link in manager.open(path).links if re.search(r"/webhook-deliveries/\d+$", link)}
    return manager.open(link)


def test_the_secret_is_shown_once_and_signs_what_is_sent(manager, made, path, receiver):
    secret = made.codes["new-secret"]
    page = manager.send(manager.open(path).form("/test"))
    assert "Delivered: your server took the test event." in page.text
    [request] = receiver.received
    assert request.is_signed_with(secret)
    for shown in (path, "/dashboard/webhook-endpoints"):
        assert secret not in manager.open(shown).source


def test_a_receiver_that_refuses_is_shown_with_what_it_said(manager, path, receiver):
    receiver.status = 503
    page = manager.send(manager.open(path).form("/test"))
    assert page.status == 200
    assert "Not delivered." in page.text
    assert "503" in page.text


def test_a_rotated_secret_signs_beside_the_old_one(manager, made, path, receiver):
    form = manager.open(f"{path}/rotate-secret").form()
    page = manager.send(form, overlap_hours="1")
    new = page.codes["new-secret"]
    assert new != made.codes["new-secret"]
    manager.send(manager.open(path).form("/test"))
    assert receiver.received[-1].is_signed_with(new)
    assert "The old secret signs until" in manager.open(path).text


def test_a_delivery_shows_payload_attempts_and_answers_as_text(delivery):
    assert "Attempt 1" in delivery.text
    assert '"name": "<script>alert(1)</script>"' in delivery.text
    assert "<script>alert" not in delivery.source


def test_a_delivery_is_sent_again(manager, receiver, delivery):
    page = manager.send(delivery.form("/redeliver"))
    assert "It is sent again." in page.text
    receiver.wait_for(lambda received: len(received) == 2)


def test_deliveries_are_found_by_endpoint_event_and_status(manager, path, delivery):
    number = path.rpartition("/")[2]
    found = "/dashboard/webhook-deliveries?endpoint_id={}&event={}&status={}"
    assert "customer.created" in manager.open(found.format(number, "customer.created", "succeeded")).text
    assert "No delivery fits" in manager.open(found.format(number, "", "exhausted")).text
    assert manager.open(found.format("nonsense", "", "")).status == 400


def test_a_replay_is_followed_to_its_end(manager, receiver, path, delivery, wait_until):
    form = manager.open(f"{path}/replay").form()
    page = manager.send(form, since="2020-01-01T00:00", only="all", which="all")
    assert re.search(r"/webhook-replays/\d+$", page.url)
    wait_until(lambda: "Done" in manager.open(page.url).text)
    part = manager.open(page.url, headers={"HX-Request": "true"})
    assert part.source.startswith('<div id="job"')
    assert "hx-trigger" not in part.source, "what is done is not asked for again"
    receiver.wait_for(lambda received: len(received) == 2)


def test_an_endpoint_is_changed_paused_and_resumed(manager, merchant, path, receiver):
    number = path.rpartition("/")[2]
    form = manager.open(f"{path}/edit").form()
    assert form.fields["events"] == ["customer.created"]
    manager.send(form, which="all", description="", max_in_flight="4", rate_limit_per_second="10")
    endpoint = merchant.api.data("GET", f"/webhook-endpoints/{number}")
    assert (endpoint["events"], endpoint["description"]) == (["*"], None)
    assert (endpoint["max_in_flight"], endpoint["rate_limit_per_second"]) == (4, 10)

    page = manager.send(manager.open(path).form("/state"))
    assert "Nothing is sent until you resume." in page.text
    assert merchant.api.data("GET", f"/webhook-endpoints/{number}")["status"] == "paused"
    manager.send(page.form("/state"))
    assert merchant.api.data("GET", f"/webhook-endpoints/{number}")["status"] == "active"


def test_an_endpoint_that_must_not_be_called_is_refused_beside_its_address(manager):
    form = manager.open("/dashboard/webhook-endpoints/new").form()
    page = manager.send(form, url="https://10.0.0.7/hook")
    assert page.status == 400
    assert 'id="url-error"' in page.source
    page = manager.send(page.form(), url="https://10.0.0.7/hook", max_in_flight="many")
    assert 'id="max_in_flight-error"' in page.source
    assert "This must be a whole number." in page.text


def test_an_endpoint_is_deleted_only_after_asking(manager, merchant, path):
    page = manager.open(f"{path}/delete")
    assert manager.open(path).status == 200
    assert "The endpoint is deleted." in manager.send(page.form()).text
    assert manager.open(path).status == 404
