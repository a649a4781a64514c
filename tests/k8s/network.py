"""Which pods reach which, by the rendered network policies: only as far as this suite uses them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.k8s.cluster import Object, Objects, Pod, of_kind, pods

# The label by which the operators' pods are found, and the port on which they answer.
_SERVERS = {"RabbitmqCluster": ("app.kubernetes.io/name", 5672), "Cluster": ("cnpg.io/cluster", 5432)}


class Network:
    """``name -> name:port`` of all that both ends allow, and what only one end does."""

    def __init__(self, objects: Objects) -> None:
        self._policies = list(of_kind(objects, "NetworkPolicy").values())
        self.ends = {pod.name: pod.labels for pod in pods(objects) if pod.kind != "Job"}
        self.ports = {pod.name: _ports(pod) for pod in pods(objects)}
        for found in objects:
            if found["kind"] in _SERVERS:
                label, port = _SERVERS[found["kind"]]
                name = found["metadata"]["name"]
                self.ends[name], self.ports[name] = {label: name}, {port}

    def reached(self) -> set[str]:
        return self._allowed("egress") & self._allowed("ingress")

    def one_sided(self) -> set[str]:
        """What one end allows in vain, or by mistake."""
        return self._allowed("egress") ^ self._allowed("ingress")

    def selected(self, direction: str) -> set[str]:
        """Whose traffic is refused unless a policy allows it."""
        kind = direction.capitalize()
        return {
            name
            for name, labels in self.ends.items()
            for policy in self._policies
            if kind in policy["spec"]["policyTypes"] and matches(policy["spec"]["podSelector"], labels)
        }

    def beyond(self, direction: str) -> dict[str, set[str]]:
        """What each end reaches, or is reached from, outside the namespace: blocks of addresses and namespaces."""
        found: dict[str, set[str]] = {}
        for name, rule, peer in self._peers(direction):
            ports = ",".join(str(port["port"]) for port in rule.get("ports", [])) or "any"
            if "ipBlock" in peer:
                found.setdefault(name, set()).add(f"{peer['ipBlock']['cidr']}:{ports}")
            elif "namespaceSelector" in peer:
                (namespace,) = peer["namespaceSelector"]["matchLabels"].values()
                found.setdefault(name, set()).add(f"{namespace}:{ports}")
        return found

    def _allowed(self, direction: str) -> set[str]:
        """What one end lets pass between pods, on ports that are open."""
        flows = set()
        for name, rule, peer in self._peers(direction):
            if "podSelector" not in peer or "namespaceSelector" in peer:
                continue
            for other, labels in self.ends.items():
                if matches(peer["podSelector"], labels):
                    caller, callee = (name, other) if direction == "egress" else (other, name)
                    ports = {allowed["port"] for allowed in rule.get("ports", [])} or self.ports[callee]
                    flows |= {f"{caller} -> {callee}:{port}" for port in ports & self.ports[callee]}
        return flows

    def _peers(self, direction: str) -> Iterator[tuple[str, Object, Object]]:
        """The end, the rule and whom it lets through; a rule without peers would let everybody."""
        peers = {"egress": "to", "ingress": "from"}[direction]
        for policy in self._policies:
            for name, labels in self.ends.items():
                if matches(policy["spec"]["podSelector"], labels):
                    for rule in policy["spec"].get(direction, []):
                        yield from ((name, rule, peer) for peer in rule.get(peers, _EVERYBODY))


_EVERYBODY: list[Object] = [{"podSelector": {}}, {"ipBlock": {"cidr": "0.0.0.0/0"}}]


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        _holds(rule["operator"], labels.get(rule["key"]), rule.get("values", []))
        for rule in selector.get("matchExpressions", [])
    )


def _holds(operator: str, value: str | None, values: list[str]) -> bool:
    return {"Exists": value is not None, "In": value in values, "NotIn": value not in values}[operator]


def _ports(pod: Pod) -> set[int]:
    return {port["containerPort"] for port in pod.main.get("ports", [])}
