"""What a write would do, and by which rules."""

from __future__ import annotations

from typing import Any

from loyalty_programs.domain.explaining import Explanation


def preview(explanation: Explanation) -> dict[str, Any]:
    refusal = explanation.refusal
    return {
        "allowed": refusal is None,
        "reason": refusal.reason if refusal is not None else None,
        "type": explanation.type,
        "points_delta": explanation.points_delta,
        "points_balance_before": explanation.points_balance_before,
        "points_balance_after": explanation.points_balance_after,
        "would_enroll": explanation.would_enroll,
        "rules": [
            {"rule": rule.name, "passed": rule.refusal is None, "message": rule.message} for rule in explanation.rules
        ],
    }
