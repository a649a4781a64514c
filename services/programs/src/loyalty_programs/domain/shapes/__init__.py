"""How the nouns look: in answers, in lists and in events alike. One noun, one shape.

Each takes the columns of a row, stored or about to be.
"""

from __future__ import annotations

from loyalty_programs.domain.shapes.points import (
    enrollment,
    loyalty_card,
    transaction,
)
from loyalty_programs.domain.shapes.previews import preview
from loyalty_programs.domain.shapes.reconciliations import (
    reconciliation,
    reconciliation_entry,
)
from loyalty_programs.domain.shapes.redemptions import redemption
from loyalty_programs.domain.shapes.referrals import (
    referral,
    referral_code,
    referral_milestone,
    referral_program,
)
from loyalty_programs.domain.shapes.rewards import (
    loyalty_reward,
    reward_claim,
)
from loyalty_programs.domain.shapes.stamps import (
    stamp,
    stamp_card,
    stamp_progress,
    stamp_reward,
)

__all__ = [
    "enrollment",
    "loyalty_card",
    "loyalty_reward",
    "preview",
    "reconciliation",
    "reconciliation_entry",
    "redemption",
    "referral",
    "referral_code",
    "referral_milestone",
    "referral_program",
    "reward_claim",
    "stamp",
    "stamp_card",
    "stamp_progress",
    "stamp_reward",
    "transaction",
]
