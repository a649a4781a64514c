"""The receivers in docs/webhooks.md are programs: each is run, and told the true from the false."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from loyalty_testing.machine import free_port
from loyalty_webhooks.domain.secret_box import new_signing_secret
from loyalty_webhooks.domain.signing import reference_signature

DOCUMENT = Path(__file__).parents[3] / "docs" / "webhooks.md"
SECRET, OLD_SECRET = new_signing_secret(bytes(32)), new_signing_secret(b"1" * 32)
BODY = '{"id":"550e8400","event":"loyalty.points_earned","data":{"name":"Zoë"}}'.encode()
RUNTIMES = {"python": (sys.executable,), "javascript": ("node",), "php": ("php", "-S", "127.0.0.1:{port}")}
Send = Callable[..., int]


@pytest.fixture(scope="module", params=RUNTIMES)
def send(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Send]:
    """``send(body, headers)`` to the documented receiver of one language; the status that it answers."""
    language = request.param
    program, *arguments = RUNTIMES[language]
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} on this machine")
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    file, port = tmp_path_factory.mktemp(language) / "receiver", free_port()
    file.write_text(code)
    command = [program, *(argument.format(port=port) for argument in arguments), str(file)]
    environment = {"PATH": os.environ["PATH"], "WEBHOOK_SECRET": SECRET, "PORT": str(port)}

    def post(body: bytes, headers: dict[str, str]) -> int:
        return requests.post(f"http://127.0.0.1:{port}/", body, headers=headers, timeout=10).status_code

    with subprocess.Popen(command, env=environment) as process:
        wait_until_it_answers(post)
        yield post
        process.terminate()


def wait_until_it_answers(post: Send) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            post(b"", {})
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def signed(secret: str = SECRET, *, age_s: int = 0, header: str = "X-Loyalty-Signature") -> dict[str, str]:
    timestamp = int(time.time()) - age_s
    signature = reference_signature(signing_secret=secret, timestamp=timestamp, body=BODY)
    return {"X-Loyalty-Timestamp": str(timestamp), header: signature}


def test_what_we_signed_is_taken(send: Send) -> None:
    assert send(BODY, signed()) == 204


def test_what_was_signed_with_the_secret_that_goes_is_taken_during_the_overlap(send: Send) -> None:
    headers = signed(OLD_SECRET) | signed(header="X-Loyalty-Signature-Previous")
    assert send(BODY, headers) == 204


@pytest.mark.parametrize(
    "make_headers",
    [
        dict,
        lambda: signed(OLD_SECRET),
        lambda: signed(age_s=310),
        lambda: signed(age_s=-310),
        lambda: {"X-Loyalty-Timestamp": signed()["X-Loyalty-Timestamp"]},
        lambda: {"X-Loyalty-Timestamp": "now", "X-Loyalty-Signature": "00"},
    ],
    ids=["nothing", "another secret", "an old one", "one of tomorrow", "no signature", "nonsense"],
)
def test_what_is_not_ours_is_refused(send: Send, make_headers: Callable[[], dict[str, str]]) -> None:
    assert send(BODY, make_headers()) == 400


def test_a_changed_body_is_refused(send: Send) -> None:
    assert send(BODY.replace(b"550e", b"551e"), signed()) == 400
