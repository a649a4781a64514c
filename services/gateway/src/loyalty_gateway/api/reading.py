"""A request as it comes from a client: read by gunicorn, which knows all the traps, and told to WSGI by us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gunicorn.http import errors as refused
from gunicorn.http.message import Request
from gunicorn.http.wsgi import base_environ
from gunicorn.util import unquote_to_wsgi_str

Environ = dict[str, Any]

# More than one of these would mean that two readers of one request can see two requests.
_AT_MOST_ONCE = ("IDEMPOTENCY-KEY", "X-REQUEST-ID")
# Those that WSGI names otherwise than by HTTP_.
_OWN_NAMES = {"CONTENT-TYPE": "CONTENT_TYPE", "CONTENT-LENGTH": "CONTENT_LENGTH"}


class Head(Request):  # type: ignore[misc]  # gunicorn is untyped
    """The head of a request; making one waits for it, and raises what gunicorn raises for what it does not accept."""

    def _peer_trusted_for_forwarded(self) -> tuple[dict[str, str], list[str]]:
        """Nobody here: whose word counts, and for what, is client_address.py's to say."""
        return {}, []

    @property
    def expects_continue(self) -> bool:
        return bool(self._expected_100_continue)

    @property
    def has_body(self) -> bool:
        """Whether one is announced."""
        return any(name in ("CONTENT-LENGTH", "TRANSFER-ENCODING") for name, _ in self.headers)


def environ_of_connection(cfg: Any, *, server: tuple[Any, ...], client: tuple[Any, ...]) -> Environ:
    """What WSGI is told of every request of one connection."""
    return {
        **base_environ(cfg),
        "wsgi.multithread": True,
        "wsgi.url_scheme": "http",
        "SCRIPT_NAME": "",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
    }


def environ_of(head: Head, of_connection: Mapping[str, Any]) -> Environ:
    """No header sets anything but its own ``HTTP_`` variable. One that came several times has its values joined."""
    environ = {
        **of_connection,
        "wsgi.input": head.body,
        "REQUEST_METHOD": head.method,
        "RAW_URI": head.uri,
        "PATH_INFO": unquote_to_wsgi_str(head.path),
        "QUERY_STRING": head.query,
        "SERVER_PROTOCOL": "HTTP/1.1" if head.version == (1, 1) else "HTTP/1.0",
    }
    for name, value in head.headers:
        variable = _OWN_NAMES.get(name) or "HTTP_" + name.replace("-", "_")
        if variable not in environ:
            environ[variable] = value
        elif name in _AT_MOST_ONCE:
            raise refused.InvalidHeader(name, req=head)
        else:
            environ[variable] = f"{environ[variable]},{value}"
    return environ
