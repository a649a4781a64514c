"""The nouns: tables, constraints, indexes. Importing this package knows them all."""

from __future__ import annotations

from loyalty_common.erasure import Erasure, index_notes
from loyalty_programs.models.base import Base
from loyalty_programs.models.cards import LoyaltyCard, loyalty_card_ids
from loyalty_programs.models.enrollments import Enrollment, enrollment_ids
from loyalty_programs.models.plumbing import directory, idempotency, inbox, outbox
from loyalty_programs.models.points import LotSpend, PointsTransaction, points_transaction_ids
from loyalty_programs.models.reconciliations import Reconciliation, ReconciliationEntry, reconciliation_ids
from loyalty_programs.models.redemptions import Redemption, redemption_ids
from loyalty_programs.models.referrals import (
    Referral,
    ReferralCode,
    ReferralProgram,
    referral_code_ids,
    referral_ids,
    referral_milestone_ids,
    referral_program_ids,
)
from loyalty_programs.models.rewards import LoyaltyReward, RewardClaim, loyalty_reward_ids, reward_claim_ids
from loyalty_programs.models.stamps import (
    StampCard,
    StampMembership,
    StampReward,
    StampTransaction,
    stamp_card_ids,
    stamp_membership_ids,
    stamp_reward_ids,
    stamp_transaction_ids,
)

# The same as Core tables, which statements built at import are made of.
_tables = Base.metadata.tables
enrollments = _tables["enrollments"]
lot_spends = _tables["lot_spends"]
loyalty_cards = _tables["loyalty_cards"]
loyalty_rewards = _tables["loyalty_rewards"]
points_transactions = _tables["points_transactions"]
redemptions = _tables["redemptions"]
reward_claims = _tables["reward_claims"]
referral_codes = _tables["referral_codes"]
referral_programs = _tables["referral_programs"]
referrals = _tables["referrals"]
reconciliation_entries = _tables["reconciliation_entries"]
reconciliations = _tables["reconciliations"]
stamp_cards = _tables["stamp_cards"]
stamp_memberships = _tables["stamp_memberships"]
stamp_rewards = _tables["stamp_rewards"]
stamp_transactions = _tables["stamp_transactions"]
index_notes(Base.metadata)
erasure = Erasure(directory, idempotency=idempotency, outbox=outbox)

__all__ = [
    "Base",
    "Enrollment",
    "LotSpend",
    "LoyaltyCard",
    "LoyaltyReward",
    "PointsTransaction",
    "Reconciliation",
    "ReconciliationEntry",
    "Redemption",
    "Referral",
    "ReferralCode",
    "ReferralProgram",
    "RewardClaim",
    "StampCard",
    "StampMembership",
    "StampReward",
    "StampTransaction",
    "directory",
    "enrollment_ids",
    "enrollments",
    "erasure",
    "idempotency",
    "inbox",
    "lot_spends",
    "loyalty_card_ids",
    "loyalty_cards",
    "loyalty_reward_ids",
    "loyalty_rewards",
    "outbox",
    "points_transaction_ids",
    "points_transactions",
    "reconciliation_entries",
    "reconciliation_ids",
    "reconciliations",
    "redemption_ids",
    "redemptions",
    "referral_code_ids",
    "referral_codes",
    "referral_ids",
    "referral_milestone_ids",
    "referral_program_ids",
    "referral_programs",
    "referrals",
    "reward_claim_ids",
    "reward_claims",
    "stamp_card_ids",
    "stamp_cards",
    "stamp_membership_ids",
    "stamp_memberships",
    "stamp_reward_ids",
    "stamp_rewards",
    "stamp_transaction_ids",
    "stamp_transactions",
]
