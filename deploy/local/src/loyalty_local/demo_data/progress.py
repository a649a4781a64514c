"""The data of one installation: begun when its organization is founded, gone on with until they are whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

from loyalty_local.demo_data.api import Api, Refused, Stopped
from loyalty_local.demo_data.filling import fill
from loyalty_local.keys import write_private

# The API remembers the names of writes for seven days: later, what was made already would be made again.
_GIVEN_UP_AFTER = timedelta(days=6)


class DemoData:
    """In ``path`` stands how far it came. Without that file nothing is made: the organization has a life of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stop = Event()
        self._thread: Thread | None = None

    def begin(self) -> None:
        """From now on a month is missing. To be said before anybody can know the organization's key."""
        self._write(until=datetime.now(UTC), is_whole=False)

    def go_on(self, demo: Mapping[str, str], *, say: Callable[[str], None]) -> None:
        """Makes what is missing, beside everything else that goes on; ``demo`` are the variables of demo.env."""
        if self._path.exists() and not json.loads(self._path.read_text())["is_whole"]:
            self._thread = Thread(target=self._make, args=(demo, say), name="demo-data", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _make(self, demo: Mapping[str, str], say: Callable[[str], None]) -> None:
        until = datetime.fromisoformat(json.loads(self._path.read_text())["until"])
        api = Api(demo["LOYALTY_URL"], demo["LOYALTY_API_KEY"], stop=self._stop)
        try:
            if datetime.now(UTC) < until + _GIVEN_UP_AFTER:
                fill(api, first_place=int(demo["LOYALTY_PARTNER_LOCATION_ID"]), until=until)
        except Stopped:
            return
        except Refused as refusal:
            say(f"The demo data are not whole; the next start tries again. {refusal}")
            return
        self._write(until=until, is_whole=True)
        say("The demo organization now has a month of data.")

    def _write(self, *, until: datetime, is_whole: bool) -> None:
        write_private(self._path, json.dumps({"until": until.isoformat(), "is_whole": is_whole}))
