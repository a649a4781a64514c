"""``error.reason``, the closed list of causes, by what they are about."""

from __future__ import annotations

from loyalty_dashboard.web.languages import mark

REASONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (mark("Every request"), ("idempotency_key_reused", "request_in_progress", "duplicate_reference", "invalid_cursor")),
    (
        mark("Keys, plans and roles"),
        (
            *("key_revoked", "key_expired", "plan_required", "insufficient_scope", "insufficient_role"),
            *("organization_suspended", "address_not_allowed"),
        ),
    ),
    (
        mark("Customers"),
        ("customer_not_found", "customer_not_enrolled", "customer_not_new", "ambiguous_identifier"),
    ),
    (
        mark("Loyalty cards"),
        (
            *("card_inactive", "card_expired", "card_not_yet_valid", "enrollment_suspended", "currency_mismatch"),
            *("earn_rule_missing", "insufficient_points", "refund_exceeds_purchase", "already_reversed"),
            "not_reversible",
        ),
    ),
    (
        mark("Rewards"),
        (
            *("reward_inactive", "reward_not_yet_valid", "reward_expired", "reward_out_of_stock"),
            *("reward_limit_reached", "claim_already_fulfilled", "claim_already_cancelled"),
            *("reward_already_fulfilled", "reward_revoked"),
        ),
    ),
    (mark("Stamp cards"), ("stamp_card_inactive", "stamp_card_not_yet_valid", "stamp_card_expired")),
    (
        mark("Vouchers"),
        (
            *("voucher_inactive", "voucher_not_yet_valid", "voucher_expired", "voucher_limit_reached"),
            *("voucher_already_redeemed", "minimum_order_not_met"),
        ),
    ),
    (
        mark("Referrals"),
        ("self_referral", "already_referred", "milestone_already_completed", "referral_program_inactive"),
    ),
    (mark("Webhooks and jobs"), ("endpoint_address_refused", "job_running")),
)
ALL: tuple[str, ...] = tuple(reason for _, reasons in REASONS for reason in reasons)
