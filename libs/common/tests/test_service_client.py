"""One service asks another: with its own token, once, and with an answer or none."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from loyalty_common.errors import Unavailable
from loyalty_common.identity import TokenVerifier
from loyalty_common.service_client import ServiceClient
from loyalty_testing.keys import IdentityKeys


class Other:
    """A service that answers as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any, Any]] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = lambda handler: say(handler, 200, {"data": {"done": 1}})


def say(handler: BaseHTTPRequestHandler, status: int, body: Any) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


@pytest.fixture
def other() -> Iterator[tuple[Other, str]]:
    service = Other()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.asked.append((self.path, self.headers["Authorization"], body))
            service.answer(self)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield service, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def client(url: str, keys: IdentityKeys) -> ServiceClient:
    return ServiceClient(url, audience="programs", signer=keys.signer("customers"))


def test_what_is_asked_carries_a_token_for_the_tenant_and_brings_the_data(
    other: tuple[Other, str], identity_keys: IdentityKeys
) -> None:
    service, url = other
    asking = client(url, identity_keys)
    assert asking.post("/internal/things", tenant_id=7, body={"n": 1}) == {"done": 1}
    [(path, token, body)] = service.asked
    identity = TokenVerifier("programs", identity_keys.public_keys).verify(token)
    assert (path, body, identity.issuer, identity.tenant_id) == ("/internal/things", {"n": 1}, "customers", 7)
    asking._session.close()


@pytest.mark.parametrize(
    "answer",
    [
        lambda handler: say(handler, 400, {"error": {}}),
        lambda handler: say(handler, 404, {"error": {}}),
        lambda handler: say(handler, 500, b"oops"),
        lambda handler: say(handler, 200, b"no json"),
        lambda handler: say(handler, 200, {"error": {}}),
        lambda handler: handler.connection.close(),
        lambda handler: threading.Event().wait(0.5),
    ],
    ids=["400", "404", "500", "no JSON", "no data", "breaks off", "too slow"],
)
def test_anything_but_an_answer_is_unavailable_and_nothing_is_sent_twice(
    other: tuple[Other, str], identity_keys: IdentityKeys, answer: Any
) -> None:
    service, url = other
    service.answer = answer
    asking = client(url, identity_keys)
    with pytest.raises(Unavailable):
        asking.post("/internal/things", tenant_id=7, body={}, timeout_s=0.2)
    assert len(service.asked) == 1
    asking._session.close()
