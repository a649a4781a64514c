"""Trying an operation out with a test key: what may be sent, to where, and what comes back.

Only operations of the OpenAPI, only at the API that this process knows, only with keys of the test mode. The key comes
in a form and goes out in a header; it stands in no address, no page and no log.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from loyalty_dashboard.api import Api
from loyalty_dashboard.portal import literals
from loyalty_dashboard.portal.operations import JSON, Operation

KEY = re.compile(r"lpk_test_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}", re.ASCII)
# No dot: urllib3 would take ".." for a step up.
_SEGMENT = re.compile(r"[0-9A-Za-z_-]{1,255}", re.ASCII)
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}", re.ASCII)
_LARGEST_BODY = 64 * 1024
_LARGEST_ANSWER = 256 * 1024
_SHOWN_HEADERS = ("Content-Type", "X-Request-Id", "Idempotent-Replayed", "RateLimit", "Retry-After")
# What is wrong with a field: the page has the words.
NO_TEST_KEY, LIVE_KEY, MISSING, NOT_A_SEGMENT, TOO_LARGE = "no_test_key", "live_key", "missing", "segment", "too_large"


@dataclass(frozen=True)
class Trial:
    """What was filled in. ``path`` and ``query`` hold what the operation knows, whatever else was sent."""

    operation: Operation
    key: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: str = ""
    idempotency_key: str = ""

    @classmethod
    def of(cls, operation: Operation, form: Mapping[str, str]) -> Trial:
        return cls(
            operation=operation,
            key=form.get("key", "").strip(),
            path={each.name: form.get(f"path.{each.name}", "").strip() for each in operation.path_parameters},
            query={
                each.name: value
                for each in operation.query_parameters
                if (value := form.get(f"query.{each.name}", "").strip())
            },
            body=form.get("body", "") if operation.media_types else "",
            idempotency_key=form.get("idempotency_key", "").strip() if operation.takes_idempotency_key else "",
        )

    @property
    def faults(self) -> dict[str, str]:
        """By field of the form, why nothing is sent."""
        return dict(self._faults())

    def _faults(self) -> Iterator[tuple[str, str]]:
        if not KEY.fullmatch(self.key):
            yield "key", LIVE_KEY if self.key.startswith("lpk_live_") else NO_TEST_KEY
        for name, value in self.path.items():
            if not _SEGMENT.fullmatch(value):
                yield f"path.{name}", NOT_A_SEGMENT if value else MISSING
        if len(self.body.encode()) > _LARGEST_BODY:
            yield "body", TOO_LARGE
        if self.idempotency_key and not _IDEMPOTENCY_KEY.fullmatch(self.idempotency_key):
            yield "idempotency_key", NOT_A_SEGMENT

    @property
    def target(self) -> str:
        """Below the API's address; of a trial without faults."""
        path = self.operation.path
        for name, value in self.path.items():
            path = path.replace(f"{{{name}}}", value)
        return f"{path}?{urlencode(self.query)}" if self.query else path


@dataclass(frozen=True)
class Outcome:
    """``text`` is JSON on many lines where it was JSON, and ``is_whole`` unless it was too much to show."""

    status: int
    duration_ms: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    is_json: bool = False
    is_whole: bool = True


def can_be_tried(operation: Operation) -> bool:
    return "api_key" in operation.callers


def send(trial: Trial, api: Api, *, headers: Mapping[str, str]) -> Outcome:
    """``headers`` say for whom it is asked. ``ApiError`` where the API does not answer at all."""
    own = {**headers, "Authorization": f"Bearer {trial.key}"}
    if trial.operation.takes_idempotency_key:
        own["Idempotency-Key"] = trial.idempotency_key or str(uuid.uuid4())
    if trial.body.strip():
        own["Content-Type"] = next(iter(trial.operation.media_types), JSON)
    started = time.perf_counter()
    response = api.ask(
        trial.operation.method,
        trial.target,
        headers=own,
        body=trial.body.encode() if trial.body.strip() else None,
        preload_content=False,
    )
    try:
        content = response.read(_LARGEST_ANSWER + 1)
    finally:
        # What is left unread must not be taken for the next answer.
        response.close()
    text, is_json = _readable(content[:_LARGEST_ANSWER])
    return Outcome(
        status=response.status,
        duration_ms=round((time.perf_counter() - started) * 1000),
        headers={name: response.headers[name] for name in _SHOWN_HEADERS if name in response.headers},
        text=text,
        is_json=is_json,
        is_whole=len(content) <= _LARGEST_ANSWER,
    )


def _readable(content: bytes) -> tuple[str, bool]:
    text = content.decode(errors="replace")
    try:
        return literals.as_json(literals.read_json(text)), True
    except ValueError:
        return text, False
