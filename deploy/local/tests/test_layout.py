"""Where the suite listens, and what its processes are told."""

import json
import socket

import pytest

from loyalty_local.keys import Keys
from loyalty_local.layout import DATABASES, SERVICES, Addresses, Layout
from loyalty_local.ports import PortTaken, is_free


@pytest.fixture
def layout(tmp_path):
    def layout(**options):
        urls = {service: f"postgresql://{name}@/{name}" for service, name in DATABASES.items()}
        ports = dict.fromkeys([f"{service}-serve" for service in SERVICES], 8000) | {"gateway-internal": 8001}
        defaults = {"events_url": None, "redis_url": None, "extra": {}}
        return Layout(Keys.of(tmp_path / "keys.json"), Addresses(ports), urls, **defaults | options)

    return layout


@pytest.fixture
def taken_port():
    """A port in use behind a free one; the system hands out neither on its own."""
    port = next(port for port in range(21_000, 30_000, 10) if is_free(port - 1) and is_free(port))
    with socket.create_server(("127.0.0.1", port)):
        yield port


def test_a_port_that_somebody_has_is_said_with_what_to_do(taken_port):
    with pytest.raises(PortTaken, match=rf"Port {taken_port} is taken.* make run PORT="):
        Addresses.beside(taken_port)


def test_the_services_listen_beside_the_gateway_where_it_is_free(taken_port):
    ports = Addresses.beside(taken_port - 1).ports

    assert ports["gateway-serve"] == taken_port - 1
    assert taken_port not in ports.values()
    assert len(set(ports.values())) == 7


def test_without_a_broker_events_go_to_the_listeners_and_nobody_consumes(layout):
    suite = layout()

    assert ",programs=http://127.0.0.1:" in suite.environment("programs")["EVENTS_URL"]
    assert not any(command.name.endswith("-consume") for service in SERVICES for command in suite.commands(service))


def test_with_a_broker_every_subscriber_consumes(layout):
    suite = layout(events_url="amqp://broker")
    names = [command.name for service in SERVICES for command in suite.commands(service)]

    assert [name for name in names if name.endswith("-consume")] == [
        "gateway-consume",
        "programs-consume",
        "vouchers-consume",
        "webhooks-consume",
    ]
    assert suite.environment("programs")["EVENTS_URL"] == "amqp://broker"


def test_a_service_gets_its_own_private_key_and_everybodys_public_keys(layout):
    suite = layout()

    private = {service: suite.environment(service)["IDENTITY_PRIVATE_KEY"] for service in DATABASES}
    assert len(set(private.values())) == 5
    assert json.loads(suite.environment("webhooks")["IDENTITY_PUBLIC_KEYS"]) == suite.keys.public_keys


def test_only_the_gateway_is_told_the_peppers_and_nobody_the_secret_keys_of_another(layout):
    suite = layout()

    assert [service for service in SERVICES if "KEY_PEPPERS" in suite.environment(service)] == ["gateway"]
    told = {service: suite.environment(service).get("SECRET_KEYS") for service in SERVICES}
    assert {service for service, keys in told.items() if keys} == {"webhooks", "dashboard"}
    assert told["webhooks"] != told["dashboard"]


def test_the_dashboard_is_told_of_no_database_and_no_service(layout):
    told = layout().environment("dashboard")

    assert not {"DATABASE_URL", "EVENTS_URL", "IDENTITY_PRIVATE_KEY", "PROGRAMS_URL"} & told.keys()
    assert told["API_URL"].endswith("/api/v1")


def test_a_variable_of_another_project_does_not_get_in(layout, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://another.project/0")
    monkeypatch.setenv("WEB_WORKERS", "32")

    environment = layout(extra={"LOG_LEVEL": "debug"}).environment("gateway")

    assert not {"REDIS_URL", "WEB_WORKERS"} & set(environment)
    assert environment["LOG_LEVEL"] == "debug"
