"""Which addresses a delivery may go to."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from loyalty_webhooks.domain.addresses import is_public, permits

pytestmark = pytest.mark.soak  # hard test 6 of the webhooks' design, with tests/transport/test_connections.py

NOT_PUBLIC = {
    "this network": ["0.0.0.0", "0.1.2.3"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"],
    "carriers' shared space and a cloud's metadata": ["100.64.0.1", "100.100.100.200", "100.127.255.255"],
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "link-local and clouds' metadata": ["169.254.169.254", "fe80::1", "febf::1"],
    "a host agent inside public space": ["168.63.129.16"],
    "metadata in a private IPv6 range": ["fd00:ec2::254"],
    "protocol assignments": ["192.0.0.1", "192.0.0.9", "192.0.0.170", "192.0.0.192", "2001:2::1", "2001:20::1"],
    "documentation": ["192.0.2.1", "198.51.100.7", "203.0.113.9", "2001:db8::1", "3fff::1"],
    "AS112, AMT and 6to4 relays": ["192.31.196.1", "192.52.193.1", "192.88.99.1", "192.175.48.1", "2620:4f:8000::1"],
    "benchmarks": ["198.18.0.1", "198.19.255.255"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
    "reserved and broadcast": ["240.0.0.1", "255.255.255.255"],
    "unspecified": ["::"],
    "site-local": ["fec0::1", "feff::1"],
    "discard and dummy": ["100::1", "100:0:0:1::1"],
    "segment routing": ["5f00::1"],
    "unassigned parts of IPv6": ["4000::1", "8000::1", "1::1"],
    "IPv4-mapped": ["::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1"],
    "IPv4-compatible": ["::7f00:1", "::10.0.0.1", "::8.8.8.8"],
    "IPv4-translated": ["::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8"],
    "NAT64 of something private": ["64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b::a00:1"],
    "local NAT64": ["64:ff9b:1::808:808", "64:ff9b:1::a9fe:a9fe"],
    "6to4 of something private": ["2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:a00:1::1"],
    "Teredo": ["2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001::1"],
    "ISATAP of something private": ["2606:4700::5efe:a00:1", "2606:4700::200:5efe:7f00:1"],
}
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.255.255",
    "172.32.0.1",
    "198.17.255.255",
    "198.20.0.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::200e",
    "2001:4860:4860::8888",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2606:4700::5efe:808:808",
]


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in NOT_PUBLIC.items() for text in texts], ids=lambda value: value
)
def test_nothing_is_sent_to_an_address_that_is_not_public(kind: str, text: str) -> None:
    assert not is_public(ip_address(text)), kind


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_sent_to(text: str) -> None:
    assert is_public(ip_address(text))


def test_the_operator_can_open_a_range_and_nothing_else_opens_with_it() -> None:
    opened = [ip_network("127.0.0.0/8"), ip_network("fd00:1::/32")]
    assert permits(ip_address("127.0.0.1"), allowed=opened)
    assert permits(ip_address("::ffff:127.0.0.1"), allowed=opened)
    assert permits(ip_address("fd00:1::7"), allowed=opened)
    assert permits(ip_address("8.8.8.8"), allowed=opened)
    for still_closed in ("10.0.0.1", "::1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1", "fd00:2::7"):
        assert not permits(ip_address(still_closed), allowed=opened)
