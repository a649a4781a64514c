"""Why a program says no, as a tree; rendered in one place (``loyalty_common.envelope.failure``).

Forbidden
└── AdjustmentReserved       insufficient_role  staff credits purchases and adjusts nothing

ValidationFailed
├── UnknownLocation          the partner location is not one of the organization's
├── CustomersDiffer          id and e-mail are those of two people
├── CardIdentifierTaken
├── EmptyWindow              it ends before it begins
├── EntryCustomersDiffer     the same in some entries of a reconciliation
├── WindowTooFull            more in the ledger than a reconciliation holds
├── QuantityBelowClaims      fewer pieces of a reward than are claimed
├── BalanceOutOfRange        more points than an integer of JSON carries exactly
├── OnlyWhole                a part was to be reversed of what is no purchase
├── TooManyDecimals          for the currency of the purchase
├── UnknownLoyaltyCard       a referral program, an import or a reconciliation names none of the tenant's
├── UnknownReferralCode
├── InvalidMilestones        a field is missing, or belongs to another type
├── UnknownMilestone         none that could be completed by hand
├── MemberSinceOutOfRange    an import says that a membership began before 1900 or begins after today
└── Refusal
    ├── CustomerNotFound         customer_not_found
    ├── DuplicateReference       duplicate_reference
    ├── CardRefusal
    │   ├── CardInactive         card_inactive
    │   ├── CardNotYetValid      card_not_yet_valid
    │   └── CardExpired          card_expired
    ├── EnrollmentRefusal
    │   ├── CustomerNotEnrolled  customer_not_enrolled
    │   └── EnrollmentSuspended  enrollment_suspended
    ├── EarnRefusal
    │   ├── EarnRuleMissing      earn_rule_missing
    │   └── CurrencyMismatch     currency_mismatch
    ├── InsufficientPoints       insufficient_points
    ├── ReversalRefusal
    │   ├── NotReversible        not_reversible
    │   ├── AlreadyReversed      already_reversed
    │   └── RefundExceedsPurchase refund_exceeds_purchase
    ├── RewardRefusal
    │   ├── RewardInactive       reward_inactive
    │   ├── RewardNotYetValid    reward_not_yet_valid
    │   ├── RewardExpired        reward_expired
    │   ├── RewardOutOfStock     reward_out_of_stock
    │   └── RewardLimitReached   reward_limit_reached
    ├── ClaimRefusal
    │   ├── ClaimAlreadyFulfilled claim_already_fulfilled
    │   └── ClaimAlreadyCancelled claim_already_cancelled
    ├── StampCardRefusal
    │   ├── StampCardInactive    stamp_card_inactive
    │   ├── StampCardNotYetValid stamp_card_not_yet_valid
    │   └── StampCardExpired     stamp_card_expired
    ├── StampRewardRefusal
    │   ├── RewardAlreadyFulfilled reward_already_fulfilled
    │   └── RewardRevoked        reward_revoked
    └── ReferralRefusal
        ├── ReferralProgramInactive    referral_program_inactive
        ├── SelfReferral               self_referral
        ├── AlreadyReferred            already_referred
        ├── CustomerNotNew             customer_not_new
        └── MilestoneAlreadyCompleted  milestone_already_completed
"""

from __future__ import annotations

from loyalty_programs.domain.errors.imports import MemberSinceOutOfRange
from loyalty_programs.domain.errors.points import (
    AdjustmentReserved,
    BalanceOutOfRange,
    CardExpired,
    CardIdentifierTaken,
    CardInactive,
    CardNotYetValid,
    CardRefusal,
    CurrencyMismatch,
    CustomerNotEnrolled,
    CustomerNotFound,
    CustomersDiffer,
    DuplicateReference,
    EarnRefusal,
    EarnRuleMissing,
    EmptyWindow,
    EnrollmentRefusal,
    EnrollmentSuspended,
    InsufficientPoints,
    UnknownLocation,
)
from loyalty_programs.domain.errors.reconciliations import EntryCustomersDiffer, WindowTooFull
from loyalty_programs.domain.errors.referrals import (
    AlreadyReferred,
    CustomerNotNew,
    InvalidMilestones,
    MilestoneAlreadyCompleted,
    ReferralProgramInactive,
    ReferralRefusal,
    SelfReferral,
    UnknownLoyaltyCard,
    UnknownMilestone,
    UnknownReferralCode,
)
from loyalty_programs.domain.errors.reversals import (
    AlreadyReversed,
    NotReversible,
    OnlyWhole,
    RefundExceedsPurchase,
    ReversalRefusal,
    TooManyDecimals,
)
from loyalty_programs.domain.errors.rewards import (
    ClaimAlreadyCancelled,
    ClaimAlreadyFulfilled,
    ClaimRefusal,
    QuantityBelowClaims,
    RewardExpired,
    RewardInactive,
    RewardLimitReached,
    RewardNotYetValid,
    RewardOutOfStock,
    RewardRefusal,
)
from loyalty_programs.domain.errors.stamps import (
    RewardAlreadyFulfilled,
    RewardRevoked,
    StampCardExpired,
    StampCardInactive,
    StampCardNotYetValid,
    StampCardRefusal,
    StampRewardRefusal,
)

__all__ = [
    "AdjustmentReserved",
    "AlreadyReferred",
    "AlreadyReversed",
    "BalanceOutOfRange",
    "CardExpired",
    "CardIdentifierTaken",
    "CardInactive",
    "CardNotYetValid",
    "CardRefusal",
    "ClaimAlreadyCancelled",
    "ClaimAlreadyFulfilled",
    "ClaimRefusal",
    "CurrencyMismatch",
    "CustomerNotEnrolled",
    "CustomerNotFound",
    "CustomerNotNew",
    "CustomersDiffer",
    "DuplicateReference",
    "EarnRefusal",
    "EarnRuleMissing",
    "EmptyWindow",
    "EnrollmentRefusal",
    "EnrollmentSuspended",
    "EntryCustomersDiffer",
    "InsufficientPoints",
    "InvalidMilestones",
    "MemberSinceOutOfRange",
    "MilestoneAlreadyCompleted",
    "NotReversible",
    "OnlyWhole",
    "QuantityBelowClaims",
    "ReferralProgramInactive",
    "ReferralRefusal",
    "RefundExceedsPurchase",
    "ReversalRefusal",
    "RewardAlreadyFulfilled",
    "RewardExpired",
    "RewardInactive",
    "RewardLimitReached",
    "RewardNotYetValid",
    "RewardOutOfStock",
    "RewardRefusal",
    "RewardRevoked",
    "SelfReferral",
    "StampCardExpired",
    "StampCardInactive",
    "StampCardNotYetValid",
    "StampCardRefusal",
    "StampRewardRefusal",
    "TooManyDecimals",
    "UnknownLocation",
    "UnknownLoyaltyCard",
    "UnknownMilestone",
    "UnknownReferralCode",
    "WindowTooFull",
]
