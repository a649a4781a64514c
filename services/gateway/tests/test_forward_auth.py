"""What the configurations of deploy/forward-auth say of services is what their documents say."""

import re
from pathlib import Path

import yaml

from loyalty_gateway.api import contracts
from loyalty_gateway.settings import SERVICES

ROOT = Path(__file__).parents[3]


def test_traefik_sends_no_path_to_a_service_that_does_not_own_it():
    rules = yaml.safe_load((ROOT / "deploy/forward-auth/traefik.yaml").read_text())["http"]["routers"]
    patterns = {name: re.search(r"PathRegexp\(`(.+)`\)", router["rule"]) for name, router in rules.items()}
    documents = contracts.load(ROOT / "contracts/openapi", ("gateway", *SERVICES))
    carried = set()
    for operation in contracts.public_operations(documents):
        path = "/api" + re.sub(r"\{\w+\}", "12", operation.path)
        named = {name for name, pattern in patterns.items() if pattern and re.search(pattern[1], path)}
        assert named <= {operation.service}, path
        carried |= named
    assert carried == set(SERVICES)


def test_the_other_proxies_know_every_service_by_the_name_that_the_decision_gives_it():
    nginx = (ROOT / "deploy/forward-auth/nginx/upstreams.conf").read_text()
    envoy = yaml.safe_load((ROOT / "deploy/forward-auth/envoy.yaml").read_text())
    clusters = {cluster["name"] for cluster in envoy["static_resources"]["clusters"]}
    assert {"gateway", *SERVICES} <= set(re.findall(r"^upstream (\w+) ", nginx, re.MULTILINE))
    assert {"gateway", *SERVICES} <= clusters
