"""Why an imported membership says no."""

from __future__ import annotations

from loyalty_common.errors import ValidationFailed


class MemberSinceOutOfRange(ValidationFailed):
    def __init__(self) -> None:
        super().__init__(details={"member_since": ["The member since field must be a day from 1900 until today."]})
