"""Which address a request comes from, and how, behind proxies that are ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any


class ClientAddresses:
    """``trusted``: the proxies whose ``X-Forwarded-For`` is believed."""

    def __init__(self, trusted: Sequence[IPv4Network | IPv6Network]) -> None:
        self._trusted = trusted
        self._is_trusted = lru_cache(maxsize=4096)(self._lies_in_trusted)

    def of(self, environ: Mapping[str, Any]) -> str:
        """From the right, the first address that is not one of our proxies: what is left of it anybody can write."""
        address: str = environ["REMOTE_ADDR"]
        forwarded = environ.get("HTTP_X_FORWARDED_FOR")
        if forwarded is None:
            return address
        for hop in reversed(forwarded.split(",")):
            if not self._is_trusted(address):
                return address
            candidate = hop.strip()
            if not _is_address(candidate):
                return address
            address = candidate
        return address

    def came_in_plain(self, environ: Mapping[str, Any]) -> bool:
        """Whether one of our proxies says that the client spoke to it without TLS."""
        return environ.get("HTTP_X_FORWARDED_PROTO") == "http" and self._is_trusted(environ["REMOTE_ADDR"])

    def _lies_in_trusted(self, address: str) -> bool:
        return _is_address(address) and any(ip_address(address) in network for network in self._trusted)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
