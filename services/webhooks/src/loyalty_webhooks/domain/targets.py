"""An endpoint's URL, taken apart once and strictly: what is checked is what is connected to."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import urlsplit

_MAX_LENGTH = 2048
_CHARACTERS = re.compile(r"[!-~]+")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_PORTS = {"https": 443, "http": 80}


class UrlRefused(Exception):
    """``str()`` is a sentence for the merchant; ``:field`` stands for the field's name."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. ``path`` includes the query; ``host`` has no brackets and is lower case."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse(url: str, *, http_hosts: Collection[str]) -> Target:
    """The target of an absolute https URL, or of an http one whose host is in ``http_hosts``."""
    if len(url) > _MAX_LENGTH or not _CHARACTERS.fullmatch(url) or "\\" in url:
        raise UrlRefused(f"The :field field must be a URL of at most {_MAX_LENGTH} ASCII characters.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UrlRefused("The :field field must be a valid URL.") from None
    if parts.scheme not in _PORTS:
        raise UrlRefused("The :field field must begin with https://.")
    if "@" in parts.netloc or "#" in url:
        raise UrlRefused("The :field field may not carry a user name, a password or a fragment.")
    if not _is_host(host, bracketed=parts.netloc.startswith("[")) or port == 0:
        raise UrlRefused("The :field field must name a host; international names in their xn-- form.")
    if parts.scheme == "http" and host not in http_hosts:
        raise UrlRefused("The :field field must begin with https://.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path)


def _is_host(host: str, *, bracketed: bool) -> bool:
    if not bracketed:
        return len(host) <= 253 and _HOST.fullmatch(host) is not None
    try:
        # A zone ("%eth0") would choose the interface: no address of the internet has one.
        return IPv6Address(host).scope_id is None
    except AddressValueError:
        return False
