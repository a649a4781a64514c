"""Which customers a list shows, at a cost that follows from how many there are.

Two ways lead to the newest 15 of those whom a filter leaves: to find them all and sort them, or to walk all customers
from the newest until 15 were met. Left to choose, PostgreSQL guesses from statistics how many there are, and walks
past a million customers for a term that it took for common. So the ids are asked for first, in no order and not more
than ``_FEW``: there an index is never the worse way. If these are all, the page is made of them and nothing else;
if there are more, walking meets 15 of them soon.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, SQLColumnExpression, and_, any_, bindparam, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from loyalty_common.database import Transaction
from loyalty_common.fields import normalized_email
from loyalty_customers.domain.profiles import phone_digits, searchable
from loyalty_customers.domain.queries import NEWEST_FIRST, PRESENT
from loyalty_customers.models import Customer

_FEW = 1_000
_SHORTEST_INDEXED = 3

# A statement that was said ten times may get one plan for all terms, made without looking at any. For characters of
# which the index knows nothing ("hu", "_%") that plan asks it all the same, and then everybody is looked at twice.
_PLAN_FOR_THESE_VALUES = text("set local plan_cache_mode = force_custom_plan")

Order = tuple[SQLColumnExpression[datetime], SQLColumnExpression[int]]


def matching(tx: Transaction, query: Mapping[str, Any]) -> tuple[Select[Any], Order]:
    """Customers that a list's filters leave, and the columns that order them."""
    rows = PRESENT.where(*_conditions(query))
    if query["ids"] is not None:  # So few that finding them first costs nothing.
        return _found_first(rows)
    if query["search"] is None and query["updated_since"] is None:
        return rows, NEWEST_FIRST
    tx.execute(_PLAN_FOR_THESE_VALUES)
    ids = tx.execute(rows.with_only_columns(Customer.id).limit(_FEW + 1)).scalars().all()
    if len(ids) > _FEW:
        return rows, NEWEST_FIRST
    named = any_(bindparam("ids", list(ids), type_=ARRAY(BigInteger)))
    return _found_first(PRESENT.where(Customer.id == named))


def _found_first(rows: Select[Any]) -> tuple[Select[Any], Order]:
    # Materialized: joined to its order, the planner would again be free to walk.
    found = rows.cte("found").prefix_with("MATERIALIZED")
    return select(found), (found.c.created_at, found.c.id)


def _conditions(query: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query["search"] is not None:
        conditions.append(_is_found_by(query["search"]))
    if query["updated_since"] is not None:
        conditions.append(Customer.updated_at >= query["updated_since"])
    if query["email"] is not None:
        conditions.append(Customer.email_key == normalized_email(query["email"]))
    if query["external_id"] is not None:
        conditions.append(Customer.external_id == query["external_id"])
    if query["ids"] is not None:
        conditions.append(Customer.id == any_(bindparam("wanted", query["ids"], type_=ARRAY(BigInteger))))
    return conditions


def _is_found_by(term: str) -> ColumnElement[bool]:
    """``term`` is a literal part of name or e-mail, or its digits are a part of the phone number."""
    found = _is_part(searchable(term))
    digits = phone_digits(term)
    return or_(found, Customer.phone.contains(digits)) if digits else found


def _is_part(term: str) -> ColumnElement[bool]:
    local, at, _ = term.partition("@")
    if not at or len(local) < _SHORTEST_INDEXED:
        return Customer.search_text.contains(term, autoescape=True)
    # Domains are shared by many: their trigrams lead to half of all rows each, and reading these lists costs more than
    # all the rest. So the index is asked for what stands before them; the expression beside it is none that it knows.
    return and_(
        Customer.search_text.contains(local + at, autoescape=True),
        Customer.search_text.concat("").contains(term, autoescape=True),
    )
