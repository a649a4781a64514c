"""The nouns: tables, constraints, indexes."""

from loyalty_common.erasure import Erasure, index_notes
from loyalty_vouchers.models.base import Base
from loyalty_vouchers.models.batches import VoucherBatch, voucher_batch_ids
from loyalty_vouchers.models.plumbing import directory, idempotency, inbox, outbox
from loyalty_vouchers.models.redemptions import Redemption, RedemptionCount, redemption_ids
from loyalty_vouchers.models.vouchers import Voucher, voucher_ids

index_notes(Base.metadata)
erasure = Erasure(directory, idempotency=idempotency, outbox=outbox)

__all__ = [
    "Base",
    "Redemption",
    "RedemptionCount",
    "Voucher",
    "VoucherBatch",
    "directory",
    "erasure",
    "idempotency",
    "inbox",
    "outbox",
    "redemption_ids",
    "voucher_batch_ids",
    "voucher_ids",
]
