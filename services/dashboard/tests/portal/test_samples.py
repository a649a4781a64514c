"""What a sample sends is what was meant, whatever is in it: in each language whose program is on this machine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from loyalty_dashboard.portal import samples
from loyalty_dashboard.portal.samples import Request

PROGRAMS = {
    "curl": (["bash", "sample"], "curl"),
    "python": ([sys.executable, "sample"], sys.executable),
    "javascript": (["node", "sample.mjs"], "node"),
    "php": (["php", "sample"], "php"),
}
NASTY = {
    "name": "O'Hara & \"Söhne\" <b> \\ $HOME `id` {$x} ${y} 'q' %s 😀",
    "empty": "",
    "nothing": None,
    "flags": [True, False],
    "metadata": {},
    "list": [],
    "lines": "one\ntwo\ttabbed",
    "nested": {"amount": 24.5, "items": [{"id": 1}]},
}


class Echo:
    """Answers with what it was sent."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        echo = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                echo.requests.append({"method": self.command, "path": self.path, "headers": self.headers, "body": body})
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_POST = do_PATCH = do_DELETE = _answer

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/api/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    echo = Echo()
    yield echo
    echo.close()


@pytest.mark.parametrize("language", samples.LANGUAGES, ids=lambda language: language.code)
def test_a_request_arrives_as_it_was_meant(language, echo, tmp_path):
    command, program = PROGRAMS[language.code]
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} here")
    meant = [
        Request("GET", f"{echo.url}/customers?search=O%27Hara%20%24HOME", "lpk_your_secret_key"),
        Request("POST", f"{echo.url}/customers", "lpk_your_secret_key", NASTY, "application/json"),
        Request("PATCH", f"{echo.url}/customers/1042", "lpk_your_secret_key", {"name": None}, "application/json"),
        Request("DELETE", f"{echo.url}/customers/1042", "lpk_your_secret_key"),
        Request("POST", f"{echo.url}/sessions", None, {"email": "a@b.c"}, "application/json"),
        Request("POST", f"{echo.url}/imports", "lpk_x", "a,b\n", "text/csv", "customers.csv"),
    ]
    (tmp_path / "customers.csv").write_text("a,b\n")
    for request in meant:
        (tmp_path / command[1]).write_text(language.write(request))
        ran = subprocess.run(
            [*command[:1], tmp_path / command[1]], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        sent = echo.requests.pop()
        assert (sent["method"], f"{echo.url.removesuffix('/api/v1')}{sent['path']}") == (request.method, request.url)
        assert sent["headers"]["Authorization"] == (f"Bearer {request.token}" if request.token else None)
        if request.body is not None:
            assert sent["headers"]["Content-Type"] == request.media_type
            assert sent["body"] == b"a,b\n" if request.file else json.loads(sent["body"]) == request.body
