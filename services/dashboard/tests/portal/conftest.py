"""The documentation of all that the services say of themselves."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from loyalty_dashboard.portal.documentation import Contracts, Documentation
from loyalty_gateway.api.public_document import merge

CONTRACTS = Path(__file__).parents[4] / "contracts"


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """As the gateway merges it."""
    files = sorted((CONTRACTS / "openapi").glob("*.json"))
    return merge(
        {path.stem: json.loads(path.read_text()) for path in files}, server_url="https://api.example.com/api/v1"
    )


@pytest.fixture(scope="session")
def contracts() -> Contracts:
    return Contracts.read(CONTRACTS)


@pytest.fixture(scope="session")
def documentation(document: dict[str, Any], contracts: Contracts) -> Documentation:
    return Documentation(document, contracts)


class Api:
    """Where the document is had from; what it answers can be changed."""

    def __init__(self) -> None:
        self.status, self.text, self.asked = 200, b"", 0
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.asked += 1
                self.send_response(api.status)
                self.send_header("Content-Length", str(len(api.text)))
                self.end_headers()
                self.wfile.write(api.text)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/api/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def api(document) -> Iterator[Api]:
    api = Api()
    api.text = json.dumps(document).encode()
    yield api
    api.close()
