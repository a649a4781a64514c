"""The reference comes from the running API, and outlives it."""

from __future__ import annotations

import threading

import pytest

from loyalty_dashboard.portal import source
from loyalty_dashboard.portal.source import DocumentationAway, Source


def test_it_is_asked_once_and_again_after_a_while(api, contracts, monkeypatch):
    reference = Source(api.url, contracts)
    first = reference.documentation()
    assert reference.documentation() is first
    assert api.asked == 1
    asked_anew = Source(api.url, contracts, refresh_s=0)
    assert asked_anew.documentation() is asked_anew.documentation()  # Nothing has changed.
    assert api.asked == 3


@pytest.mark.parametrize("text", [b"", b"<html>", b"[]", b"{}", b'{"servers": []}'])
def test_what_is_no_openapi_shows_nothing(api, contracts, text):
    api.text = text
    with pytest.raises(DocumentationAway):
        Source(api.url, contracts).documentation()


def test_while_the_api_is_away_what_it_said_last_stands(api, contracts, monkeypatch):
    monkeypatch.setattr(source, "_AGAIN_S", 0)
    reference = Source(api.url, contracts, refresh_s=0)
    first = reference.documentation()
    api.status = 503
    assert reference.documentation() is first
    api.status, api.text = 200, api.text.replace(b"Loyalty Partner API", b"Another title")
    assert reference.documentation().document["info"]["title"] == "Another title"


def test_an_api_that_was_never_there_is_asked_again_but_not_by_everybody(api, contracts):
    api.status = 502
    reference = Source(api.url, contracts)
    for _ in range(3):
        with pytest.raises(DocumentationAway):
            reference.documentation()
    assert api.asked == 1


def test_many_readers_at_once_ask_once(api, contracts):
    reference = Source(api.url, contracts)
    threads = [threading.Thread(target=reference.documentation) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert api.asked == 1
