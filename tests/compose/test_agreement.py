"""docker-compose.yml, the local runner, the Dockerfile and new_env.py name the same things. No engine is needed."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from loyalty_local import containers
from loyalty_local.keys import Keys
from loyalty_local.layout import DATABASES, GUESTS, SERVICES, Addresses, Layout

CHOSEN = {"PUBLIC_BASE_URL": "http://127.0.0.1:8080/api/v1", "DASHBOARD_URL": "http://127.0.0.1:8081/dashboard"}
# Each where it is needed: in a container every listener has the same port, and documents lie where the image has them.
OF_THE_IMAGE = {"OPENAPI_DIR": "/opt/contracts/openapi", "CONTRACTS_DIR": "/opt/contracts"}
LOCAL_ONLY = {*OF_THE_IMAGE, "BIND", "INTERNAL_BIND", "PYTHONUNBUFFERED", "HOME", "LANG", "PATH", "TMPDIR", "TZ"}
LOCAL_ONLY |= {"SSL_CERT_DIR", "SSL_CERT_FILE"}
# Read by nobody on one machine: proxies, mail servers, Prometheus.
ELSEWHERE_ONLY = {"FORWARDED_ALLOW_IPS", "LOG_LEVEL", "MAIL_FROM", "METRICS_PORT"}
# Of profiles: for Prometheus, and behind a proxy.
IF_ASKED_TO = {("programs", "check-ledger", "--every", "86400"), ("gateway", "forward-auth")}


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docker-compose.yml").read_text()


@pytest.fixture(scope="module")
def made(root: Path) -> dict[str, str]:
    """The variables of a new .env."""
    variables: dict[str, str] = runpy.run_path(str(root / "deploy/compose/new_env.py"))["new_variables"]()
    return variables | CHOSEN


@pytest.fixture(scope="module")
def composed(text: str, made: dict[str, str]) -> dict[str, Any]:
    """The services of docker-compose.yml, with the variables of ``made``."""

    def fill(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [fill(inner) for inner in value]
        if isinstance(value, str):
            return re.sub(r"\$\{(\w+):[-?]([^}]*)\}", lambda m: made.get(m[1], m[2]), value)
        return value

    services: dict[str, Any] = fill(yaml.safe_load(text)["services"])
    return services


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """As ``make run`` would be with the servers of Compose."""
    ports = dict.fromkeys([f"{service}-serve" for service in SERVICES], 8000) | {"gateway-internal": 8001}
    urls = {service: f"postgresql://{name}@/{name}" for service, name in DATABASES.items()}
    return Layout(Keys.of(tmp_path / "keys.json"), Addresses(ports), urls, "amqp://broker", "redis://redis", {})


def processes(composed: dict[str, Any]) -> Iterator[tuple[str, list[str], dict[str, Any]]]:
    """Every process of ours: its service, its command, and what Compose says of it."""
    for name, process in composed.items():
        service = name.partition("-")[0]
        if service in SERVICES:
            yield service, process["command"], process


def test_compose_starts_the_processes_that_make_run_starts(composed: dict[str, Any], layout: Layout) -> None:
    local = {(service, *c.arguments[3:]) for service in SERVICES for c in layout.commands(service)}
    migrations = {(service, "migrate") for service in DATABASES}
    assert {(service, *command) for service, command, _ in processes(composed)} == local | migrations | IF_ASKED_TO


def test_compose_tells_a_service_what_make_run_tells_it(composed: dict[str, Any], layout: Layout) -> None:
    for service in SERVICES:
        told = {
            name for owner, _, process in processes(composed) if owner == service for name in process["environment"]
        }
        assert told - ELSEWHERE_ONLY == set(layout.environment(service)) - LOCAL_ONLY, service


def test_every_process_finds_in_its_environment_what_it_reads(composed: dict[str, Any]) -> None:
    """The settings of each process, read as it reads them at its start, with the secrets of a new .env."""
    for service, command, process in processes(composed):
        module = "mail_settings" if command == ["mail"] else "settings"
        settings = import_module(f"loyalty_{service}.{module}")
        own = getattr(settings, {"forward-auth": "Serve"}.get(command[0], command[0].capitalize()), None)
        read = own.read if own else getattr(settings, "from_environment", None) or settings.read_accounts
        read(process["environment"] | OF_THE_IMAGE)


def test_prometheus_is_told_of_every_process_that_keeps_running(root: Path, composed: dict[str, Any]) -> None:
    configuration = yaml.safe_load((root / "deploy/observability/prometheus/prometheus.yml").read_text())
    (scraped,) = configuration["scrape_configs"]
    (discovery,) = scraped["dns_sd_configs"]
    ours = [process for _, command, process in processes(composed) if command != ["migrate"]]
    assert sorted(discovery["names"]) == sorted(name for name, process in composed.items() if process in ours)
    assert {process["environment"]["METRICS_PORT"] for process in ours} == {str(discovery["port"])}


def test_the_door_knows_neither_the_broker_nor_the_services_keys(composed: dict[str, Any]) -> None:
    door = composed["gateway"]["environment"]
    assert "EVENTS_URL" not in door
    assert [name for name in door if name.endswith("PRIVATE_KEY")] == ["IDENTITY_PRIVATE_KEY"]


def test_no_secret_has_a_default_and_a_new_env_file_makes_each(text: str, made: dict[str, str]) -> None:
    required = set(re.findall(r"\$\{(\w+):\?", text))
    optional = set(re.findall(r"\$\{(\w+):-", text))
    assert required == set(made)
    assert [name for name in optional if re.search("PASSWORD|KEY|PEPPER|SECRET", name)] == []


def test_a_new_env_file_is_unlike_any_other(root: Path, made: dict[str, str]) -> None:
    again = runpy.run_path(str(root / "deploy/compose/new_env.py"))["new_variables"]()
    assert [name for name, value in again.items() if made[name] == value] == []


def test_only_the_doors_their_proxy_and_what_looks_on_publish_a_port_and_on_loopback(composed: dict[str, Any]) -> None:
    published = {name: process["ports"] for name, process in composed.items() if "ports" in process}
    assert set(published) == {"gateway", "dashboard", "proxy", "prometheus", "grafana"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    at = [port.rpartition(":")[0] for ports in published.values() for port in ports]
    assert len(set(at)) == len(at)


def test_every_process_waits_for_its_migration_and_may_write_nothing(composed: dict[str, Any]) -> None:
    for service, command, process in processes(composed):
        if service not in GUESTS:
            migration = "databases" if command == ["migrate"] else f"{service}-migrate"
            assert process["depends_on"] == {migration: {"condition": "service_completed_successfully"}}
        assert process["read_only"] is True
        assert process["cap_drop"] == ["ALL"]


def test_who_takes_imports_in_whole_has_room_for_one_per_thread(composed: dict[str, Any]) -> None:
    for name in ("customers", "dashboard"):
        assert composed[name]["tmpfs"] == ["/tmp:mode=1777,size=640m"]


def test_every_service_has_an_image_a_database_and_a_role_of_its_own(root: Path, composed: dict[str, Any]) -> None:
    targets = re.findall(r"^FROM service AS (\w+)$", (root / "Dockerfile").read_text(), re.MULTILINE)
    assert targets == list(SERVICES) == list(containers.SERVICES)
    [made] = re.findall(r"^for name in (.*); do$", (root / "deploy/compose/databases.sh").read_text(), re.MULTILINE)
    assert made.split() == list(DATABASES.values())
    for service, _, process in processes(composed):
        assert process["image"] == f"loyalty/{service}:local"
        if service in GUESTS:
            continue
        name = DATABASES[service]
        assert re.fullmatch(rf"postgresql://{name}:\w+@postgres:5432/{name}", process["environment"]["DATABASE_URL"])
