"""In which order the reference shows operations, and what it calls the groups of them.

A group holds the paths that begin with one of its words. A path that no group knows gets one of its own, so that an
operation which is new in the OpenAPI is shown without a change here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loyalty_dashboard.portal.operations import Operation
from loyalty_dashboard.web.languages import mark

_GROUPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "customers": (mark("Customers"), ("customers",)),
    "loyalty-cards": (mark("Loyalty cards"), ("loyalty-cards",)),
    "stamp-cards": (mark("Stamp cards"), ("stamp-cards",)),
    "vouchers": (mark("Vouchers"), ("vouchers", "voucher-batches")),
    "referral-programs": (mark("Referral programs"), ("referral-programs",)),
    "webhooks": (mark("Webhooks"), ("webhook-endpoints", "webhook-deliveries", "webhook-replays", "events")),
    "imports-and-exports": (mark("Imports and exports"), ("imports", "exports", "reconciliations")),
    "statistics": (mark("Statistics"), ("statistics",)),
    "account": (mark("Account"), ("me", "organization", "partner-locations", "audit-log")),
    "api-keys": (mark("API keys"), ("api-keys",)),
    "users": (mark("Users and sessions"), ("users", "sessions", "password-resets", "organizations")),
}


@dataclass(frozen=True)
class Section:
    """Operations of one tag, within a group."""

    name: str
    description: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class Group:
    slug: str
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """In English."""
        return _GROUPS[self.slug][0] if self.slug in _GROUPS else self.slug.replace("-", " ").capitalize()

    @property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(operation for section in self.sections for operation in section.operations)


def grouped(operations: Iterable[Operation], *, tags: Mapping[str, str]) -> tuple[Group, ...]:
    """Every operation in exactly one group; ``tags`` are descriptions by name, in the order of the document."""
    slugs = {word: slug for slug, (_, words) in _GROUPS.items() for word in words}
    members: dict[str, list[Operation]] = {slug: [] for slug in _GROUPS}
    for operation in operations:
        word = operation.path.split("/")[1]
        members.setdefault(slugs.get(word, word), []).append(operation)
    return tuple(Group(slug, tuple(_sections(slug, found, tags))) for slug, found in members.items() if found)


def _sections(slug: str, operations: list[Operation], tags: Mapping[str, str]) -> list[Section]:
    """In the order of the group's own words, then of the document's tags."""
    _, words = _GROUPS.get(slug, ("", (slug,)))
    places = {tag: place for place, tag in enumerate(tags)}
    by_tag: dict[str, list[Operation]] = {}
    for operation in operations:
        by_tag.setdefault(operation.tag, []).append(operation)
    sections = [Section(tag, tags.get(tag, ""), tuple(found)) for tag, found in by_tag.items()]

    def order(section: Section) -> tuple[int, int]:
        word = section.operations[0].path.split("/")[1]
        return words.index(word), places.get(section.name, len(places))

    return sorted(sections, key=order)
