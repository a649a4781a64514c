"""From a request target to the route that answers it: segment by segment, no pattern is ever run over a path.

What goes upstream is rebuilt from the route's template and the decoded parameters; the client's own path never does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_to_bytes

from loyalty_gateway.api.contracts import Operation
from loyalty_gateway.domain import roles
from loyalty_gateway.domain.errors import BadTarget

_DEFAULT_TIMEOUT_S = 10.0
# Far longer than any of ours. Escaping can make it three times as long on its way to the service.
_LONGEST_PATH = 500


@dataclass(frozen=True, slots=True)
class Upload:
    """What a route takes instead of JSON: a file of one of these types, which streams through."""

    media_types: tuple[str, ...]
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class Route:
    """``template`` as the service has it (``/v1/customers/{customer_id}``); ``path`` has ``%s`` for each parameter.

    ``scope``: what a key must have, ``None`` where keys are not what it is about. ``role``: the least that a signed-in
    user must have. ``caller``: ``anyone`` or ``session``, whose credentials the service judges by itself.
    """

    service: str
    template: str
    path: str
    scope: str | None
    role: str
    limit_class: str
    timeout_s: float
    caller: str | None = None
    upload: Upload | None = None


@dataclass(slots=True)
class Node:
    """A place in the tree of paths; ``routes`` by method is empty where only longer paths exist."""

    children: dict[str, Node] = field(default_factory=dict)
    parameter: Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)

    @property
    def allow(self) -> str:
        return ", ".join(sorted(self.routes))


class RouteTable:
    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = Node()
        for operation in operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        node, segments = self._root, operation.path.split("/")[2:]
        for segment in segments:
            if segment.startswith("{"):
                node.parameter = node = node.parameter or Node()
            else:
                node = node.children.setdefault(segment, Node())
        rules = operation.spec["x-loyalty"]
        route = Route(
            service=operation.service,
            template=operation.path,
            path="/".join(["/v1", *("%s" if segment.startswith("{") else segment for segment in segments)]),
            scope=rules["scope"],
            role=roles.least(rules["scope"], rules.get("role")),
            limit_class=rules["class"],
            caller=rules.get("caller"),
            timeout_s=float(rules.get("timeout_s", _DEFAULT_TIMEOUT_S)),
            upload=Upload(tuple(rules["media_types"]), rules["limit_bytes"]) if "media_types" in rules else None,
        )
        node.routes[operation.method] = route
        if operation.method == "GET":
            node.routes["HEAD"] = route

    def find(self, segments: list[str]) -> tuple[Node, list[str]] | None:
        """The node of a path below the prefix, and its parameters as sent. Literal segments go before parameters."""
        return _find(self._root, segments, 0)


def _find(node: Node, segments: list[str], at: int) -> tuple[Node, list[str]] | None:
    if at == len(segments):
        return (node, []) if node.routes else None
    segment = segments[at]
    child = node.children.get(segment)
    found = None if child is None else _find(child, segments, at + 1)
    if found is None and node.parameter is not None and segment:
        found = _find(node.parameter, segments, at + 1)
        if found is not None:
            found[1].insert(0, segment)
    return found


def split_target(target: str) -> tuple[str, str]:
    """Path and query of a request target in origin form; anything that could mean two things is refused."""
    path, _, query = target.partition("?")
    if not target.startswith("/") or "#" in target or "\\" in path or "//" in path or "/./" in path or "/../" in path:
        raise BadTarget
    if path.endswith(("/.", "/..")) or len(path) > _LONGEST_PATH:
        raise BadTarget
    if "%" in target:
        _check_escapes(path)
        if b"\x00" in _utf8(query):
            raise BadTarget
    return path, query


def upstream_path(route: Route, parameters: list[str]) -> str:
    if not parameters:
        return route.path
    return route.path % tuple([_clean(parameter) for parameter in parameters])


def _clean(parameter: str) -> str:
    if parameter.isalnum():
        return parameter
    return quote(unquote_to_bytes(parameter), safe="")


def _check_escapes(path: str) -> None:
    for segment in path.split("/"):
        if "%" not in segment:
            continue
        decoded = _utf8(segment)
        # A "%" that begins no escape is read by everybody in their own way.
        if decoded.count(b"%") != segment.count("%25"):
            raise BadTarget
        if decoded in (b".", b"..") or any(octet < 0x20 or octet in b"/\\\x7f" for octet in decoded):
            raise BadTarget


def _utf8(text: str) -> bytes:
    decoded = unquote_to_bytes(text)
    try:
        decoded.decode()
    except UnicodeDecodeError:
        raise BadTarget from None
    return decoded
