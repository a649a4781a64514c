"""How one service asks another: its own token, a pool, deadlines, and nothing taken from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from loyalty_common.errors import Unavailable
from loyalty_common.identity import TokenSigner

_CONNECT_S = 0.5
_READ_S = 3.0


class ServiceClient:
    """Asks the service ``audience`` at ``base_url`` under ``/internal``."""

    def __init__(self, base_url: str, *, audience: str, signer: TokenSigner) -> None:
        self._base_url = base_url
        self._audience = audience
        self._signer = signer
        self._session = requests.Session()
        # No proxy, no .netrc: the environment must not be able to redirect a token.
        self._session.trust_env = False
        self._session.mount("http://", HTTPAdapter(pool_maxsize=16, max_retries=1))

    def get(self, path: str, *, tenant_id: int | None = None, params: Mapping[str, Any]) -> dict[str, Any] | None:
        """``data`` of the answer, ``None`` on 404; ``Unavailable`` if the service is down, slow or confused.

        Call it outside any transaction.
        """
        token = self._signer.mint(self._audience, tenant_id=tenant_id)
        try:
            response = self._session.get(
                f"{self._base_url}{path}",
                params=params,
                headers={"Authorization": f"Bearer {token}"},
                timeout=(_CONNECT_S, _READ_S),
                allow_redirects=False,
            )
            if response.status_code == 404:
                return None
            if response.status_code == 200:
                data: dict[str, Any] = response.json()["data"]
                return data
        except (requests.RequestException, ValueError, KeyError) as error:
            raise Unavailable(f"The {self._audience} service is not available at the moment.") from error
        raise Unavailable(f"The {self._audience} service is not available at the moment.")
