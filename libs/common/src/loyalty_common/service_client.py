"""How one service asks another: its own token, a pool, deadlines, and nothing taken from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import requests
from requests.adapters import HTTPAdapter

from loyalty_common import tracing
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
        answered = self._ask("GET", path, tenant_id, params=params, timeout=(_CONNECT_S, _READ_S))
        return None if answered.status_code == 404 else self._data(answered)

    def post(self, path: str, *, tenant_id: int, body: Mapping[str, Any], timeout_s: float = _READ_S) -> dict[str, Any]:
        """``data`` of the answer; ``Unavailable`` for anything but a success: then it may have happened or not.

        Only what is idempotent by what ``body`` says may be asked for like this, outside any transaction. Where no
        connection could be made it is tried once more; what was sent is not sent again.
        """
        return self._data(self._ask("POST", path, tenant_id, data=orjson.dumps(body), timeout=(_CONNECT_S, timeout_s)))

    def _ask(self, method: str, path: str, tenant_id: int | None, **options: Any) -> requests.Response:
        token = self._signer.mint(self._audience, tenant_id=tenant_id)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if (traceparent := tracing.traceparent()) is not None:
            headers["traceparent"] = traceparent
        try:
            return self._session.request(
                method, f"{self._base_url}{path}", headers=headers, allow_redirects=False, **options
            )
        except requests.RequestException as error:
            raise self._unavailable() from error

    def _data(self, answered: requests.Response) -> dict[str, Any]:
        try:
            if answered.status_code == 200:
                data: dict[str, Any] = answered.json()["data"]
                return data
        except (ValueError, KeyError) as error:
            raise self._unavailable() from error
        raise self._unavailable()

    def _unavailable(self) -> Unavailable:
        return Unavailable(f"The {self._audience} service is not available at the moment.")
