"""How a profile is written, compared and searched. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import phonenumbers

from loyalty_common.envelope import timestamp
from loyalty_common.fields import normalized_email
from loyalty_customers.domain.errors import PhoneNotPossible

_PHONE_LIKE = re.compile(r"[+0-9 ()./-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a merchant says of a person. ``phone`` is E.164."""

    email: str
    name: str | None = None
    phone: str | None = None
    external_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


def e164(phone: str, *, country: str) -> str:
    """``(555) 123-4567`` of the US is ``+15551234567``.

    Possible numbers are enough: the reference's own +15551234567 is possible, but assigned to nobody.
    """
    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException:
        raise PhoneNotPossible from None
    if not phonenumbers.is_possible_number(number):
        raise PhoneNotPossible
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def searchable(*parts: str | None) -> str:
    """Ignores case and Unicode form: ``Ａｌｅｘ`` is found by ``alex``."""
    joined = "\n".join(part for part in parts if part)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", joined).casefold())


def phone_digits(term: str) -> str | None:
    """The digits of a search term that can be part of a phone number, else None."""
    digits = re.sub(r"\D", "", term) if _PHONE_LIKE.fullmatch(term) else ""
    return digits or None


def differences(before: Profile, after: Profile) -> list[str]:
    """Names of the fields that are not the same; an e-mail in another case is another one to look at."""
    return [name for name in Profile.__dataclass_fields__ if getattr(before, name) != getattr(after, name)]


def columns(profile: Profile) -> dict[str, Any]:
    """A profile as the columns that hold it."""
    return {
        "name": profile.name,
        "email": profile.email,
        "email_key": normalized_email(profile.email),
        "phone": profile.phone,
        "external_id": profile.external_id,
        "metadata": dict(profile.metadata),
        "search_text": searchable(profile.name, profile.email),
    }


def customer_object(
    *, customer_id: int, profile: Profile, created_at: datetime, updated_at: datetime
) -> dict[str, Any]:
    """The customer as the API, events and other services see it."""
    return {
        "id": customer_id,
        "name": profile.name,
        "email": profile.email,
        "phone": profile.phone,
        "external_id": profile.external_id,
        "metadata": dict(profile.metadata),
        "created_at": timestamp(created_at),
        "updated_at": timestamp(updated_at),
    }


def erased_object(*, customer_id: int, created_at: datetime, erased_at: datetime) -> dict[str, Any]:
    """The same of somebody who was erased: nobody, since when."""
    return {
        "id": customer_id,
        **dict.fromkeys(("name", "email", "phone", "external_id")),
        "metadata": {},
        "created_at": timestamp(created_at),
        "updated_at": timestamp(erased_at),
    }
