"""How an endpoint's URL is read."""

from __future__ import annotations

import pytest

from loyalty_webhooks.domain.targets import Target, UrlRefused, parse


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("https://hooks.example.com", Target("https", "hooks.example.com", 443, "/"), "hooks.example.com"),
        ("https://Hooks.Example.com:443/a?b=c", Target("https", "hooks.example.com", 443, "/a?b=c"), None),
        (
            "HTTPS://hooks.example.com:8443/x",
            Target("https", "hooks.example.com", 8443, "/x"),
            "hooks.example.com:8443",
        ),
        ("https://hooks.example.com?k=v", Target("https", "hooks.example.com", 443, "/?k=v"), "hooks.example.com"),
        ("https://[2606:4700::1111]:444/", Target("https", "2606:4700::1111", 444, "/"), "[2606:4700::1111]:444"),
        ("https://a_b.example.com/%20", Target("https", "a_b.example.com", 443, "/%20"), "a_b.example.com"),
        ("http://till.local/hook", Target("http", "till.local", 80, "/hook"), "till.local"),
        ("https://2130706433/", Target("https", "2130706433", 443, "/"), "2130706433"),
    ],
)
def test_a_url_names_one_target(url: str, target: Target, authority: str | None) -> None:
    parsed = parse(url, http_hosts={"till.local"})
    assert parsed == target
    assert authority in (None, parsed.authority)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "hooks.example.com",
        "//hooks.example.com/",
        "https://",
        "https:///path",
        "https://user@hooks.example.com/",
        "https://user:password@hooks.example.com/",
        "https://@hooks.example.com/",
        "https://hooks.example.com/#fragment",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:65536/",
        "https://hooks.example.com:port/",
        "https://hooks.example.com\\@10.0.0.1/",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\r\nX-Evil: 1",
        "https://hooks.example.com/\x00",
        "https://münchen.example/",
        "https://hooks%2eexample.com/",
        "https://.example.com/",
        "https://hooks..example.com/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://[hooks.example.com]/",
        f"https://{'a' * 254}/",
        f"https://hooks.example.com/{'a' * 2048}",
    ],
)
def test_a_url_that_could_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused, match=":field field"):
        parse(url, http_hosts={"till.local"})
