"""How request fields are read, everywhere alike: trimmed, NFC, an empty string is null, integers are integers.

Sentences follow the reference ("The email field is required."); ``:field`` is filled in when they are rendered.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar

import marshmallow
from marshmallow import ValidationError

from loyalty_common.money import CURRENCIES, MAX_AMOUNT
from loyalty_common.strict_json import has_control_characters

MAX_ID = 10**18 - 1
# Tells the document that "" is admitted besides what the field's schema says.
EMPTY_IS_NULL = "x-empty-is-null"
_REQUIRED = "The :field field is required."
_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|z|[+-][0-9]{2}:[0-9]{2})"
)
_EMAIL = re.compile(r"[^@\s\"(),:;<>\[\\\]]+@[^@\s.\"(),:;<>\[\\\]]+(\.[^@\s.\"(),:;<>\[\\\]]+)+")


class Schema(marshmallow.Schema):
    """Unknown fields are ignored (and named in ``meta.warnings`` by the edge).

    ``may_be_absent``: a request may come without a body, and then means the same as with an empty object.
    """

    may_be_absent: ClassVar[bool] = False

    class Meta:
        unknown = marshmallow.EXCLUDE


class Nothing(Schema):
    """The body of an action that takes no fields: absent, or an object."""

    may_be_absent = True


class Changes(Schema):
    """The body of a PATCH: what is absent is not in the result, null or an empty string means the default."""

    def __init__(self, **options: Any) -> None:
        super().__init__(partial=True, **options)


class Field(marshmallow.fields.Field[Any]):
    default_error_messages = {"required": _REQUIRED, "null": _REQUIRED}  # noqa: RUF012
    openapi: Mapping[str, Any] = {}
    empty_is_null = True
    max_length: int | None = None

    def __init__(self, *, openapi: Mapping[str, Any] | None = None, **options: Any) -> None:
        described = {**self.openapi, **(openapi or {}), **options.pop("metadata", {})}
        if not options.get("required"):
            options.setdefault("allow_none", True)
            options.setdefault("load_default", None)
            described |= {EMPTY_IS_NULL: self.empty_is_null}
        super().__init__(metadata=described, **options)

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        if isinstance(value, str):
            # Before trimming: the document's maxLength is about what is sent.
            if self.max_length is not None and len(value) > self.max_length:
                raise ValidationError(f"The :field field may not be longer than {self.max_length} characters.")
            value = unicodedata.normalize("NFC", value.strip()) or (None if self.empty_is_null else "")
        if value is None and not self.required:
            # An explicit null means the same as leaving the field out.
            value = marshmallow.missing
        return super().deserialize(value, attr, data, **kwargs)


class Text(Field):
    """At most ``max_length`` characters on one line (``multiline``: on several)."""

    def __init__(
        self, *, max_length: int = 255, multiline: bool = False, pattern: str | None = None, **options: Any
    ) -> None:
        self.max_length, self._multiline = max_length, multiline
        self._pattern = re.compile(pattern) if pattern else None
        described = {"type": "string", "maxLength": max_length} | ({"pattern": f"^{pattern}$"} if pattern else {})
        super().__init__(openapi=described, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("The :field field must be a string.")
        if has_control_characters(value):
            # Of a query string; in a body they are no JSON of ours.
            raise ValidationError("The :field field may not contain control characters.")
        if not self._multiline and not value.isprintable() and any(char in value for char in "\r\n\t"):
            raise ValidationError("The :field field may not contain line breaks or tabs.")
        if self._pattern and not self._pattern.fullmatch(value):
            raise ValidationError("The :field field has an invalid format.")
        return value


class Email(Text):
    def __init__(self, **options: Any) -> None:
        metadata = {"format": "email", **options.pop("metadata", {})}
        super().__init__(max_length=254, metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not _EMAIL.fullmatch(text):
            raise ValidationError("The :field field must be a valid email address.")
        return text


def normalized_email(email: str) -> str:
    """What makes two addresses the same one: trimmed, NFC, case folded."""
    return unicodedata.normalize("NFC", email.strip().casefold())


class Choice(Text):
    def __init__(self, *choices: str, **options: Any) -> None:
        self._choices = choices
        super().__init__(metadata={"enum": list(choices), **options.pop("metadata", {})}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if value not in self._choices:
            raise ValidationError(f"The :field field must be one of: {', '.join(self._choices)}.")
        return str(value)


class Integer(Field):
    """A whole number, also as a string of digits; 24.9 and "1_000" are none."""

    empty_is_null = False

    def __init__(self, *, minimum: int = 1, maximum: int = MAX_ID, **options: Any) -> None:
        self._minimum, self._maximum = minimum, maximum
        super().__init__(openapi={"type": "integer", "minimum": minimum, "maximum": maximum}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            value = int(value)
        if isinstance(value, Decimal) and value == value.to_integral_value():
            value = int(value)
        if type(value) is not int:
            raise ValidationError("The :field field must be an integer.")
        if not self._minimum <= value <= self._maximum:
            raise ValidationError(f"The :field field must be between {self._minimum} and {self._maximum}.")
        return value


class Identifier(Integer):
    """An id that we gave out."""


class Number(Field):
    """A ``Decimal`` above zero and at most ``maximum``, sent as a number or as a string such as "24.50"."""

    empty_is_null = False

    def __init__(self, *, maximum: Decimal = MAX_AMOUNT, **options: Any) -> None:
        self._maximum = maximum
        described = {
            "type": ["number", "string"],
            "exclusiveMinimum": 0,
            "maximum": float(maximum),
            "pattern": r"^[0-9]{1,10}(\.[0-9]{1,2})?$",
        }
        super().__init__(openapi=described, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = Decimal(value)
        if type(value) is int:
            value = Decimal(value)
        if not isinstance(value, Decimal):
            raise ValidationError("The :field field must be a number.")
        if value <= 0:
            raise ValidationError("The :field field must be greater than 0.")
        if value > self._maximum:
            raise ValidationError(f"The :field field may not be greater than {self._maximum}.")
        return value


class Flag(Field):
    empty_is_null = False
    openapi = {"type": "boolean"}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value is True or value is False:
            return value
        raise ValidationError("The :field field must be true or false.")


class CurrencyCode(Text):
    """ISO 4217, lower case accepted."""

    def __init__(self, **options: Any) -> None:
        metadata = {"pattern": "^[A-Za-z]{3}$", **options.pop("metadata", {})}
        super().__init__(metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        code = str(value).upper()
        if code not in CURRENCIES:
            raise ValidationError("The :field field must be a currency code of ISO 4217.")
        return code


class Date(Field):
    openapi = {"type": "string", "format": "date"}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        try:
            if isinstance(value, str) and _DATE.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise ValidationError("The :field field must be a date in the form YYYY-MM-DD.")


class Timestamp(Field):
    """A moment with its offset; comes out in UTC."""

    openapi = {"type": "string", "format": "date-time"}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            # A query string turns the plus sign of an offset into a space.
            if isinstance(value, str) and _TIMESTAMP.fullmatch(text := re.sub(r" (\d\d:\d\d)$", r"+\1", value)):
                return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise ValidationError("The :field field must be a time such as 2026-05-16T10:12:00+00:00.")


def sentences(messages: Any, path: str = "") -> dict[str, list[str]]:
    """marshmallow's nested messages as ``{"milestones.0.count": ["The count field is required."]}``."""
    if isinstance(messages, Mapping):
        found: dict[str, list[str]] = {}
        for key, below in messages.items():
            found |= sentences(below, path if key == "_schema" else f"{path}.{key}".lstrip("."))
        return found
    name = path.rsplit(".", 1)[-1].replace("_", " ")
    return {path: [str(message).replace(":field", name) for message in messages]}
