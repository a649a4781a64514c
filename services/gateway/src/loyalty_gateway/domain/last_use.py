"""When each key was last used: noted at every request, written behind them, to the minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ARRAY, BigInteger, DateTime, Engine, any_, bindparam, column, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from loyalty_gateway.models import ApiKey

_PRECISION_S = 60.0
_PAUSE_S = 1.0
_FORGET_ABOVE = 20_000
_log = structlog.get_logger()

_given = (
    func.unnest(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("moments", type_=ARRAY(DateTime(timezone=True))))
    .table_valued(column("id", BigInteger), column("used_at", DateTime(timezone=True)))
    .render_derived()
)
# In one order and past what is locked, so that no two processes wait for each other, nor for a key that is changing.
_free = (
    select(ApiKey.id)
    .where(ApiKey.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))
    .order_by(ApiKey.id)
    .with_for_update(skip_locked=True)
    .cte("free")
)
_WRITE = (
    update(ApiKey)
    .where(
        ApiKey.id == _given.c.id,
        ApiKey.id.in_(select(_free.c.id)),
        # Forward only, and once a minute whatever other processes have seen.
        or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= _given.c.used_at - timedelta(seconds=_PRECISION_S)),
    )
    .values(last_used_at=_given.c.used_at)
)


class LastUse:
    """``note`` is for the hot path: a look into a dictionary, mostly."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._due: dict[int, float] = {}
        self._noted: dict[int, datetime] = {}

    def note(self, api_key_id: int, *, at: datetime) -> None:
        now = self._clock()
        if now < self._due.get(api_key_id, 0.0):
            return
        if len(self._due) >= _FORGET_ABOVE:
            self._due.clear()
        self._due[api_key_id] = now + _PRECISION_S
        self._noted[api_key_id] = at

    def start(self) -> None:
        threading.Thread(target=self._run, name="last-use", daemon=True).start()

    def write(self) -> None:
        """What was noted since; lost if the database is away: the next minute's use is written then."""
        noted, self._noted = self._noted, {}
        if noted:
            with self._engine.begin() as connection:
                connection.execute(_WRITE, {"ids": [*noted], "moments": [*noted.values()]})

    def _run(self) -> None:
        while True:
            time.sleep(_PAUSE_S)
            try:
                self.write()
            except SQLAlchemyError as error:
                _log.warning("last_use_unwritten", error=type(error).__name__)
