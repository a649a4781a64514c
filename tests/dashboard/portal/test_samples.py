"""Every sample of the portal in curl and Python is run against the suite and gives the answer that is shown.

The story is played once in each language, by a merchant of its own. ``make examples`` plays it to write the answers
down anew.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from loyalty_dashboard.portal import examples, literals, samples
from loyalty_dashboard.portal.documentation import Contracts, Documentation, shown
from loyalty_dashboard.portal.examples import Example
from loyalty_dashboard.portal.operations import JSON, Operation
from loyalty_testing.mailbox import Mailbox, receiving_mail
from tests.dashboard.portal.recording import Recording
from tests.dashboard.portal.story import Translation, differences

CONTRACTS = Path(__file__).parents[3] / "contracts"
RECORDS = bool(os.environ.get("RECORD_EXAMPLES"))
PATIENCE_S = 60
Answer = tuple[int, str]


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with receiving_mail() as mailbox:
        yield mailbox


@pytest.fixture(scope="module")
def welcoming_suite(start_suite: Callable[..., Any], mailbox: Mailbox) -> Iterator[Any]:
    """One where organizations may come by themselves, and whose letters can be read."""
    suite = start_suite(
        environment={"SIGN_UP": "open", "MAILER_URL": f"smtp://127.0.0.1:{mailbox.port}?starttls=never"}
    )
    if RECORDS:
        _keep_ids_apart(suite.layout.database_urls.values())
    yield suite
    suite.stop()


def _keep_ids_apart(database_urls: Any) -> None:
    """No two things have the same id, so that each tells what it belongs to."""
    start = 10_000
    for url in database_urls:
        with psycopg.connect(url, autocommit=True) as connection:
            for (name,) in connection.execute(
                "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S'"
            ).fetchall():
                connection.execute("SELECT setval(%s::text::regclass, %s)", (name, start))
                start += 10_000


@pytest.fixture(scope="module")
def documentation(welcoming_suite: Any) -> Documentation:
    document = requests.get(f"{welcoming_suite.base_url}/openapi.json", timeout=10).json()
    return Documentation(document, Contracts.read(CONTRACTS))


def run_curl(sample: str, folder: Path) -> Answer:
    (folder / ".curlrc").write_text('silent\nshow-error\nwrite-out = "\\n%{http_code}"\n')
    environment = {"PATH": os.environ["PATH"], "CURL_HOME": str(folder)}
    ran = subprocess.run(["bash", "-c", sample], cwd=folder, env=environment, stdout=subprocess.PIPE, check=True)
    text, _, status = ran.stdout.decode().rpartition("\n")
    return int(status), text


def run_python(sample: str, folder: Path) -> Answer:
    """In this process: a new one for each of them would take a minute."""
    before = Path.cwd()
    os.chdir(folder)
    names: dict[str, Any] = {"print": lambda _: None}
    try:
        exec(compile(sample, "sample", "exec"), names)
    except requests.HTTPError:
        pass  # The answer says it.
    finally:
        os.chdir(before)
    return names["response"].status_code, names["response"].text


class Player:
    def __init__(self, documentation: Documentation, translation: Translation, mailbox: Mailbox, folder: Path) -> None:
        self.documentation = documentation
        self.translation = translation
        self.by_name = {operation.name: operation for operation in documentation.operations.values()}
        self._mailbox = mailbox
        self._folder = folder

    def play(self, step: Example, language: str, run: Callable[[str, Path], Answer]) -> list[str]:
        """What was not as it is shown. What is read may take its time to be there."""
        operation = self.by_name[step.operation]
        if "token" in step.path:
            self.translation.texts[step.path["token"]] = self._token()
        if step.file:
            (self._folder / step.file).write_text(step.body)
        sample = self.translation.real(self._sample(operation, step, language))
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.status, self.text = run(sample, self._folder)
            wrong = list(self._compared(step))
            if not wrong or operation.method != "GET" or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        if self.status < 300 and step.answer_type == JSON:
            self.translation.learn(step.answer, json.loads(self.text))
        return [f"{operation.name}: {each}" for each in wrong]

    def _sample(self, operation: Operation, step: Example, language: str) -> str:
        write = next(each.write for each in samples.LANGUAGES if each.code == language)
        return write(self.documentation.request(operation, step))

    def _compared(self, step: Example) -> Iterator[str]:
        if self.status >= 300:
            yield f"answered {self.status} {self.text}"
        elif step.answer_type != JSON and not RECORDS:
            first = shown(step).splitlines()[0][:40]
            if not self.text.startswith(first):
                yield f"{self.text[:80]!r} does not begin with {first!r}"
        elif RECORDS:
            yield from _lacks(step.answer, json.loads(self.text) if step.answer_type == JSON else None)
        else:
            if self.status != step.status:
                yield f"answered {self.status}, where {step.status} is shown"
            yield from differences(step.answer, json.loads(self.text))

    def _token(self) -> str:
        """Of the link in the letter that came last, once it is there."""
        deadline = time.monotonic() + PATIENCE_S
        address = self.translation.texts["robin@example.com"]
        while time.monotonic() < deadline:
            letters = [letter for letter in self._mailbox.letters if letter["To"] == address]
            if len(letters) >= 2:  # The invitation, and what was asked for after it.
                found = re.search(r"/password-resets/(\S+)", letters[-1].get_content())
                assert found is not None
                return found[1]
            time.sleep(0.1)
        raise TimeoutError("no letter came")


def _lacks(told: Any, real: Any) -> Iterator[str]:
    """What was told beforehand of an answer that nobody has seen yet, and is not there."""
    if isinstance(told, dict) and isinstance(real, dict):
        for key in told:
            yield from _lacks(told[key], real.get(key)) if key != "status" or told[key] == real.get(key) else ["status"]
    elif isinstance(told, list) and isinstance(real, list):
        if len(real) < len(told):
            yield "the list is too short"
        for one, other in zip(told, real, strict=False):
            yield from _lacks(one, other)


@pytest.fixture
def player(
    documentation: Documentation,
    welcoming_suite: Any,
    found_merchant: Callable[..., Any],
    mailbox: Mailbox,
    receiver: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Player:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    merchant = found_merchant(welcoming_suite)
    if RECORDS:
        merchant.api.data("PATCH", f"/partner-locations/{merchant.partner_location_id}", {"name": "Riverside"})
    own = {
        samples.KEY: merchant.live_key,
        "https://hooks.example.com/loyalty": receiver.url,
        # Users have their address once in the whole suite.
        **{f"{name}@example.com": f"{name}{merchant.organization_id}@example.com" for name in ("robin", "kim", "mika")},
    }
    return Player(documentation, Translation(own), mailbox, tmp_path)


@pytest.mark.timeout(600)
@pytest.mark.skipif(RECORDS, reason="the answers are being written down")
@pytest.mark.parametrize(("language", "run"), [("curl", run_curl), ("python", run_python)])
def test_every_sample_gives_the_answer_that_is_shown(
    player: Player, language: str, run: Callable[[str, Path], Answer]
) -> None:
    wrong = []
    for _, steps in examples.chapters(CONTRACTS / "examples"):
        for step in steps:
            told = replace(step, answer=examples.at(player.documentation.base_url, step.answer))
            wrong += player.play(told, language, run)
    assert wrong == []


def test_every_operation_has_its_place_in_the_story(documentation: Documentation) -> None:
    told = examples.first_of_each(CONTRACTS / "examples")
    assert sorted(told) == sorted(operation.name for operation in documentation.operations.values())


@pytest.mark.timeout(600)
@pytest.mark.skipif(not RECORDS, reason="`make examples` does it")
def test_what_is_answered_is_written_down(player: Player) -> None:
    recording = Recording(player.translation)
    player.translation.texts[examples.BASE_URL] = player.documentation.base_url
    for path, steps in examples.chapters(CONTRACTS / "examples"):
        written = []
        for step in steps:
            answers = player.by_name[step.operation].answers
            kind = next(iter(answers[min(answers)]), JSON)
            wrong = player.play(replace(step, answer_type=kind), "curl", run_curl)
            assert wrong == []
            answer = (
                recording.renewed(step.answer, json.loads(player.text)) if kind == JSON else recording.file(player.text)
            )
            written.append(_as_told(step, player.status, kind, answer))
        path.write_text(literals.as_json(written) + "\n")


def _as_told(step: Example, status: int, kind: str, answer: Any) -> dict[str, Any]:
    told = {
        "operation": step.operation,
        "path": step.path,
        "query": step.query,
        "body": step.body,
        "media_type": step.media_type if step.file else None,
        "status": status,
        "answer": answer,
        "answer_type": kind if kind != JSON else None,
    }
    return {key: value for key, value in told.items() if value not in (None, {})}
