"""Whether an organization's currency is in use already, as the services that use it know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from loyalty_common.service_client import ServiceClient
from loyalty_gateway.domain.errors import CurrencyInUse


class Usage:
    def __init__(self, services: Sequence[ServiceClient]) -> None:
        self._services = services

    def check_unused(self, tenant_ids: Iterable[int]) -> None:
        """``CurrencyInUse`` if any tenant has something with an amount; ``Unavailable`` if a service does not say."""
        for tenant_id in tenant_ids:
            for service in self._services:
                used = service.get("/internal/usage", tenant_id=tenant_id, params={}) or {}
                if any(used.values()):
                    raise CurrencyInUse
