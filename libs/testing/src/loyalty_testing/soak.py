"""Whether hard tests run at their full size: ``make soak``, which sets SOAK=1 and runs those marked ``soak``."""

from __future__ import annotations

import os

SOAKING = os.environ.get("SOAK") == "1"
