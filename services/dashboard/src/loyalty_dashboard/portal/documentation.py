"""Everything that the pages show, put together of one OpenAPI document and the contracts."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loyalty_dashboard.portal import examples, groups, literals, operations, samples
from loyalty_dashboard.portal.events import Event, read_events
from loyalty_dashboard.portal.examples import Example
from loyalty_dashboard.portal.groups import Group
from loyalty_dashboard.portal.operations import JSON, Operation
from loyalty_dashboard.portal.samples import Request
from loyalty_dashboard.portal.schemas import Schemas


@dataclass(frozen=True)
class Contracts:
    """What is read from files once: events, and the first example of each operation by its name."""

    events: tuple[Event, ...]
    examples: Mapping[str, Example]

    @classmethod
    def read(cls, folder: Path) -> Contracts:
        return cls(read_events(folder / "events"), examples.first_of_each(folder / "examples"))


class Documentation:
    """``base_url`` is the one that integrators are told, whatever the dashboard itself asks."""

    def __init__(self, document: Mapping[str, Any], contracts: Contracts) -> None:
        self.document = document
        self.events = contracts.events
        self.base_url: str = document["servers"][0]["url"]
        self.operations = {operation.id: operation for operation in operations.operations(document)}
        self._examples = contracts.examples
        self._schemas = Schemas(document)

    @functools.cached_property
    def groups(self) -> tuple[Group, ...]:
        tags = {tag["name"]: tag.get("description", "") for tag in self.document.get("tags", ())}
        return groups.grouped(self.operations.values(), tags=tags)

    def group_of(self, operation: Operation) -> Group:
        return next(group for group in self.groups if operation in group.operations)

    def example(self, operation: Operation) -> Example:
        told = self._examples.get(operation.name)
        if told is None:
            return examples.composed(operation, self._schemas)
        return replace(told, answer=examples.at(self.base_url, told.answer))

    def request(self, operation: Operation, example: Example) -> Request:
        return Request.of(
            operation,
            base_url=self.base_url,
            path=example.path,
            query=example.query,
            body=example.body,
            file=example.file,
            media_type=example.media_type if example.body is not None else None,
        )

    def samples(self, operation: Operation) -> dict[str, str]:
        """By the code of the language."""
        request = self.request(operation, self.example(operation))
        return {language.code: language.write(request) for language in samples.LANGUAGES}

    @functools.cached_property
    def openapi(self) -> str:
        """The document with the examples in it, as text: its decimals are written as they are."""
        document = copy.deepcopy(dict(self.document))
        for operation in self.operations.values():
            example = self.example(operation)
            spec = document["paths"][operation.path][operation.method.lower()]
            body = spec.get("requestBody", {}).get("content", {})
            if example.body is not None and example.media_type in body:
                body[example.media_type]["example"] = example.body
            answer = spec["responses"].get(str(example.status), {}).get("content", {})
            if example.played and example.answer_type in answer:
                answer[example.answer_type]["example"] = example.answer
        return literals.as_json(document)


def shown(example: Example) -> str:
    """The answer as text."""
    return literals.as_json(example.answer) if example.answer_type == JSON else str(example.answer)
