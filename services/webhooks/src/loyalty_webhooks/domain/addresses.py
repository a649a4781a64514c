"""Which addresses a delivery may connect to: public ones, judged after resolving and never by the text of a host.

``ipaddress.is_global`` is not enough: it passes ``::7f00:1``, ``64:ff9b::a9fe:a9fe``, ``2002:7f00:1::`` and
multicast. The tables are the special-purpose registries of the IANA, without exceptions for the few anycast
services in them that are reachable: none of those receives webhooks.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

_V4_REFUSED = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared address space of carriers; some clouds' metadata
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's host agent, inside public space
        "169.254.0.0/16",  # link-local, clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# Only this eighth of IPv6 is given out as public unicast; loopback, link-local, site-local, unique local,
# multicast, discard and local NAT64 all lie outside it.
_V6_UNICAST = IPv6Network("2000::/3")
_V6_REFUSED = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_ISATAP = (0x00005EFE, 0x02005EFE)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def is_public(address: Address) -> bool:
    """Whether the address is somebody's on the public internet, and not a way to something that is not."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _V4_REFUSED)
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    embedded = _embedded(address)
    if embedded is not None and not is_public(embedded):
        return False
    if address in _NAT64:
        # How a network without IPv4 reaches every IPv4 host.
        return True
    return address in _V6_UNICAST and not any(address in network for network in _V6_REFUSED)


def permits(address: Address, *, allowed: Sequence[Network]) -> bool:
    """``is_public``, or inside a range that the operator opened."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in allowed) or is_public(address)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 host to which a translator or tunnel would carry this address on."""
    number = int(address)
    if address in _SIX_TO_FOUR:
        return IPv4Address(number >> 80 & 0xFFFFFFFF)
    if address in _NAT64 or number >> 32 & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(number & 0xFFFFFFFF)
    return None
