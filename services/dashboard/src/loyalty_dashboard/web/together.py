"""Several questions to the API at once, where a page needs many small answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

_THREADS = 16
_pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="ask")
_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


def together(ask: Callable[[_Asked], _Answer], asked: Iterable[_Asked]) -> list[_Answer]:
    """The answers in the order of ``asked``. ``ask`` may use a ``Caller``, but not the request."""
    questions = [_pool.submit(copy_context().run, ask, one) for one in asked]
    return [question.result() for question in questions]
