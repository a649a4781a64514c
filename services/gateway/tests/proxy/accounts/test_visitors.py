"""What the door does with those who have no credentials yet."""

import threading
from concurrent.futures import ThreadPoolExecutor

CREDENTIALS = '{"email": "robin@example.com", "password": "a password"}'


def test_a_visitor_who_holds_all_that_he_may_takes_nothing_from_others(start_gateway, public_routes, upstream, until):
    played = {**public_routes, "GATEWAY_INTERNAL_URL": upstream.url}
    gateway, gate = start_gateway(ORGANIZATION_IN_FLIGHT="1", **played), threading.Event()

    def sign_in(address):
        return gateway.ask("POST", "/api/v1/sessions", headers={"X-Forwarded-For": address}, body=CREDENTIALS).status

    upstream.behave = lambda handler: gate.wait(20) and upstream.reply(handler, 200, b"{}")
    with ThreadPoolExecutor(1) as aside:
        waiting = aside.submit(sign_in, "2001:db8:1:1::1")
        until(lambda: len(upstream.received) == 1)
        upstream.behave = None
        assert sign_in("2001:db8:1:1::2") == 429, "of the same household"
        assert sign_in("2001:db8:1:2::1") == 200
        gate.set()
        assert waiting.result() == 200
    assert sign_in("2001:db8:1:1::2") == 200


def test_only_a_visitor_judged_by_the_service_is_told_401_by_it(start_gateway, public_routes, upstream, demo_key):
    gateway = start_gateway(**{**public_routes, "GATEWAY_INTERNAL_URL": upstream.url})
    upstream.behave = lambda handler: upstream.reply(handler, 401, b"{}")
    refused = gateway.ask("POST", "/api/v1/sessions", body=CREDENTIALS)
    assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert gateway.ask("GET", "/api/v1/me", key=demo_key).status == 502
