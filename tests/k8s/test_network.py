"""Nobody reaches anybody, but for the matrix below: by name, at both ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.k8s.cluster import OWNERS, Object, of_kind, pods, workload
from tests.k8s.network import Network, matches

# The gateway calls all; a service asks those whose objects it must know, or must tell of an erasure; the dashboard
# knows the public API alone.
CALLS = {
    "gateway-serve": {"customers:8000", "programs:8000", "vouchers:8000", "webhooks:8000", "gateway-internal:8001"},
    "gateway-internal": {"programs:8000", "vouchers:8000"},
    "customers-serve": {"programs:8000", "vouchers:8000", "webhooks:8000"},
    "customers-work": {"programs:8000"},
    "programs-serve": {"customers:8000", "gateway-internal:8001"},
    "programs-work": {"customers:8000", "gateway-internal:8001"},
    "vouchers-serve": {"customers:8000", "gateway-internal:8001"},
    "dashboard-serve": {"gateway:8000"},
}
INTERNET = {"webhooks-deliver", "webhooks-serve"}  # the API sends the tests of endpoints
MAIL = {"gateway-mail": {"0.0.0.0/0:465,587", "::/0:465,587"}}
PRIVATE = ["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"]


def matrix(objects: list[Object]) -> set[str]:
    """All that may be reached, as ``caller -> callee:port``."""
    calls = {
        f"{caller} -> {callee.replace(':8000', '-serve:8000')}"
        for caller, callees in CALLS.items()
        for callee in callees
    }
    ours = [pod for pod in pods(objects) if pod.is_ours and pod.kind != "Job"]
    broker = {f"{pod.name} -> rabbitmq:5672" for pod in ours if pod.name.endswith(("-relay", "-consume"))}
    has_operators = bool(of_kind(objects, "Cluster"))
    owners = [pod for pod in ours if pod.service in OWNERS]
    databases = {f"{pod.name} -> {f'{pod.service}-db' if has_operators else 'postgres'}:5432" for pod in owners}
    # The operator's clusters replicate, each with itself; the policy says so of all databases at once.
    among = {f"{a}-db -> {b}-db:5432" for a in OWNERS for b in OWNERS} if has_operators else set()
    redis = {"gateway-serve -> redis:6379", "gateway-internal -> redis:6379"}
    return calls | broker | databases | among | redis


def test_what_reaches_what_is_the_matrix_and_nothing_else(objects: list[Object]) -> None:
    assert Network(objects).reached() == matrix(objects)


def test_what_one_end_allows_the_other_end_allows_too(objects: list[Object]) -> None:
    assert Network(objects).one_sided() == set()


def test_every_pod_is_closed_in_both_directions(objects: list[Object]) -> None:
    network = Network(objects)
    assert network.selected("ingress") == network.selected("egress") == set(network.ends)
    default = of_kind(objects, "NetworkPolicy")["default-deny"]["spec"]
    assert default == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_the_jobs_of_a_migration_reach_what_the_others_of_their_service_reach(objects: list[Object]) -> None:
    policies = of_kind(objects, "NetworkPolicy")
    for pod in pods(objects):
        if pod.kind == "Job":
            allowed = {name for name, found in policies.items() if matches(found["spec"]["podSelector"], pod.labels)}
            assert allowed == {"default-deny", "dns", f"{pod.service}-to-database"}


def test_only_who_sends_webhooks_reaches_the_internet_and_who_sends_mails_mail_servers(objects: list[Object]) -> None:
    outside = Network(objects).beyond("egress")
    dns = "kube-system:53,53"
    assert {name for name, blocks in outside.items() if "0.0.0.0/0:any" in blocks or "::/0:any" in blocks} == INTERNET
    for name, blocks in outside.items():
        if name not in INTERNET:
            # What the operators run asks the API server, in the cluster's own network.
            operated = name.endswith("-db") or name == "rabbitmq"
            api_server = {"10.0.0.0/8:443,6443"} if operated else set()
            assert blocks - {dns} - api_server == MAIL.get(name, set()), name


@pytest.mark.parametrize("policy", ["webhooks-to-internet", "gateway-mail-to-mail-server"])
def test_the_internet_is_never_a_private_network(objects: list[Object], policy: str) -> None:
    (rule,) = of_kind(objects, "NetworkPolicy")[policy]["spec"]["egress"]
    excepted = {peer["ipBlock"]["cidr"]: peer["ipBlock"]["except"] for peer in rule["to"]}
    assert excepted == {"0.0.0.0/0": PRIVATE, "::/0": ["::1/128", "fc00::/7", "fe80::/10"]}


def test_from_outside_the_ingress_reaches_the_doors_prometheus_the_figures_and_nobody_else_anything(
    objects: list[Object],
) -> None:
    inside = Network(objects).beyond("ingress")
    ours = {pod.name: inside[pod.name] for pod in pods(objects) if pod.is_ours and pod.name in inside}
    kept_running = {pod.name: {"monitoring:9464"} for pod in pods(objects) if pod.is_ours and pod.kind == "Deployment"}
    doors = ("gateway-serve", "dashboard-serve")
    assert ours == kept_running | {name: {"ingress-nginx:8000", "monitoring:9464"} for name in doors}


SEEDED: list[tuple[Callable[[dict[str, Object]], object], str]] = [
    (
        lambda policies: policies["customers-from-callers"]["spec"].update(ingress=[{}]),
        "the callee lets everybody in, the others do not go there",
    ),
    (
        lambda policies: policies["vouchers-to-services"]["spec"]["egress"].append({}),
        "the caller goes everywhere",
    ),
    (
        lambda policies: policies["programs-to-database"]["spec"]["podSelector"].clear(),
        "everybody may ask for a database",
    ),
    (lambda policies: policies["gateway-to-services"]["spec"]["egress"].pop(0), "the door has no way out"),
    (
        lambda policies: policies["dashboard-to-gateway"]["spec"]["egress"][0].pop("to"),
        "the dashboard goes past the door",
    ),
    (
        lambda policies: policies["gateway-from-callers"]["spec"]["ingress"][0]["from"].pop(),
        "the dashboard stands before a closed door",
    ),
]


@pytest.mark.parametrize("seed", [seed for seed, _ in SEEDED], ids=[why for _, why in SEEDED])
def test_a_seeded_fault_is_found(production: list[Object], seed: Callable[[dict[str, Object]], object]) -> None:
    seed(of_kind(production, "NetworkPolicy"))
    network = Network(production)
    assert network.reached() != matrix(production) or network.one_sided()


def test_a_pod_with_the_label_of_another_process_is_found(production: list[Object]) -> None:
    labels = workload(production, "vouchers-relay")["spec"]["template"]["metadata"]["labels"]
    labels["app.kubernetes.io/component"] = "serve"
    assert Network(production).reached() != matrix(production)
