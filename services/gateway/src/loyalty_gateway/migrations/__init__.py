"""Numbered changes of the ``accounts`` schema; run by ``loyalty-gateway migrate``."""
