"""The profile ``forward-auth``: nginx carries the bytes, the gateway decides, and a merchant sees no difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loyalty_testing.machine import free_port
from loyalty_testing.reference import Journey
from tests.compose.conftest import PatientIntegrator

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def proxy_url(stack: Any, image: Callable[..., str]) -> Iterator[str]:
    port = free_port()
    names = ["gateway-forward-auth", "proxy"]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NGINX_IMAGE", image("nginx", stack.default_image("nginx")))
        environment.setenv("PROXY_LISTEN", f"127.0.0.1:{port}")
        profile = ["--profile", "forward-auth"]
        stack.compose(*profile, "up", "--detach", "--no-deps", *names)
        stack.wait_ready()
        yield f"http://127.0.0.1:{port}/api/v1"
        stack.compose(*profile, "rm", "--stop", "--force", *names)


def test_the_references_journey_goes_through_the_proxy(proxy_url: str, merchant: Any) -> None:
    journey = Journey(PatientIntegrator(proxy_url, merchant.key), partner_location_id=merchant.partner_location_id)
    journey.meet()
    journey.earn()
    journey.collect()
    journey.redeem()
    stranger = PatientIntegrator(proxy_url, "lpk_live_nobody").call("GET", "/customers")
    assert stranger.status_code == 401
