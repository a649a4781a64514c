"""People and integrators come in by the addresses that processes tell them, over TLS, and are known by their own."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from loyalty_dashboard import app as dashboard_app
from loyalty_gateway.api.client_address import ClientAddresses
from tests.k8s import images
from tests.k8s.cluster import Object, Objects, Pod, of_kind, pods
from tests.k8s.test_processes import environment, within

_BODY = "nginx.ingress.kubernetes.io/proxy-body-size"
# Of customers: the largest file of an import.
_LARGEST_FILE = 64 * 1024 * 1024


def pod(objects: Objects, name: str) -> Pod:
    (found,) = [pod for pod in pods(objects) if pod.name == name]
    return found


def behind(objects: Objects, url: str) -> set[str]:
    """The pods that answer a browser which asks for ``url``; none if its certificate or a path is lacking."""
    asked, services = urlsplit(url), of_kind(objects, "Service")
    paths = [
        path
        for ingress in of_kind(objects, "Ingress").values()
        for rule in ingress["spec"]["rules"]
        if rule["host"] == asked.hostname and any(rule["host"] in tls["hosts"] for tls in ingress["spec"]["tls"])
        for path in rule["http"]["paths"]
        if f"{asked.path}/".startswith(f"{path['path'].rstrip('/')}/")
    ]
    backends = [services[path["backend"]["service"]["name"]]["spec"] for path in paths]
    return {pod.name for spec in backends for pod in pods(objects) if spec["selector"].items() <= pod.labels.items()}


def test_the_addresses_that_people_are_told_lead_to_who_answers_them(objects: list[Object]) -> None:
    told = environment(objects, pod(objects, "dashboard-serve"))
    assert behind(objects, told["PUBLIC_BASE_URL"]) == {"gateway-serve"}
    assert behind(objects, told["DASHBOARD_URL"]) == {"dashboard-serve"}
    # The portal.
    assert behind(objects, told["DASHBOARD_URL"].removesuffix("/dashboard")) == {"dashboard-serve"}
    assert {urlsplit(told[name]).scheme for name in ("PUBLIC_BASE_URL", "DASHBOARD_URL")} == {"https"}


def test_what_is_the_clusters_is_not_shown_by_the_doors_host(objects: list[Object]) -> None:
    door = environment(objects, pod(objects, "gateway-serve"))["PUBLIC_BASE_URL"].removesuffix("/api/v1")
    assert [behind(objects, f"{door}{path}") for path in ("/livez", "/readyz", "")] == [set()] * 3


def test_each_host_has_a_certificate_of_its_own(objects: list[Object]) -> None:
    ingresses = of_kind(objects, "Ingress")
    assert set(ingresses) == {"gateway", "dashboard"}
    hosts = [rule["host"] for ingress in ingresses.values() for rule in ingress["spec"]["rules"]]
    assert len(set(hosts)) == len(hosts)
    assert {name: [tls["secretName"] for tls in found["spec"]["tls"]] for name, found in ingresses.items()} == {
        name: [f"{name}-tls"] for name in ingresses
    }


def test_mails_link_to_the_dashboard_where_it_is(objects: list[Object]) -> None:
    told = {pod.name: environment(objects, pod).get("DASHBOARD_URL") for pod in pods(objects) if pod.is_ours}
    assert told["dashboard-serve"] is not None
    assert told["gateway-mail"] == told["gateway-serve"] == told["dashboard-serve"]


@pytest.mark.parametrize("hops", ["", ", 10.1.0.1"], ids=["by the API", "by the dashboard"])
def test_an_attempt_to_sign_in_counts_on_whoever_makes_it(objects: list[Object], hops: str) -> None:
    """The ingress names the client; the dashboard, to which the ingress came, adds the ingress."""
    read, _ = images.settings("gateway", "serve", within(objects, pod(objects, "gateway-serve")))
    addresses = ClientAddresses(read.forwarded_allow_ips)
    asked = {"REMOTE_ADDR": "10.1.0.2", "HTTP_X_FORWARDED_FOR": f"198.51.100.9, 203.0.113.7{hops}"}
    assert addresses.of(asked) == "203.0.113.7"


def test_what_a_listener_takes_in_the_ingress_lets_through_and_its_pod_has_room_for(objects: list[Object]) -> None:
    largest = {"gateway": _LARGEST_FILE, "dashboard": dashboard_app._LARGEST_BODY}
    for name, found in of_kind(objects, "Ingress").items():
        assert _bytes(found["metadata"]["annotations"][_BODY]) >= largest[name]
    for name in ("customers-serve", "dashboard-serve"):
        holder = pod(objects, name)
        threads = images.settings(holder.service, "serve", within(objects, holder))[0].web_threads
        (room,) = [volume["emptyDir"]["sizeLimit"] for volume in holder.spec["volumes"] if volume["name"] == "tmp"]
        assert _bytes(room) >= threads * largest["dashboard"], name


def _bytes(amount: str) -> int:
    """As nginx (``65m``) and Kubernetes (``640Mi``) write it."""
    found = re.fullmatch(r"(\d+)(m|Mi)", amount)
    assert found, amount
    return int(found[1]) * 1024 * 1024
