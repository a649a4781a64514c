"""What a role opens to a signed-in user.

Owner: everything. Manager: everything but keys, users and the organization itself. Staff: customers can be read, and an
operation that says so (``role="staff"`` where it is declared: credit, stamp, redeem, fulfil, claim) can be done.
"""

from __future__ import annotations

STAFF, MANAGER, OWNER = "staff", "manager", "owner"
_RANKS = {STAFF: 0, MANAGER: 1, OWNER: 2}
_AREAS = ("customers", "programs", "vouchers", "webhooks", "account")
_MANAGED = frozenset(f"{area}:{right}" for area in _AREAS for right in ("read", "write"))
SCOPES = {
    STAFF: frozenset(("customers:read",)),
    MANAGER: _MANAGED,
    OWNER: _MANAGED | {"keys:read", "keys:write"},
}


def least(scope: str | None, marked: str | None) -> str:
    """The least role that opens an operation: the one it is marked with, else the first that has its scope."""
    if marked is not None:
        if marked not in _RANKS:
            raise ValueError(f"an operation is marked with a role that does not exist: {marked}")
        return marked
    if scope is None:
        return STAFF
    return next((role for role in (STAFF, MANAGER) if scope in SCOPES[role]), OWNER)


def suffices(role: str, *, wanted: str) -> bool:
    return _RANKS[role] >= _RANKS[wanted]
