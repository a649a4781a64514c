"""QR codes of member numbers as pictures. Pure."""

from __future__ import annotations

import io

import segno

from loyalty_customers.domain.identifiers import qr_payload

MEDIA_TYPES = {"svg": "image/svg+xml", "png": "image/png"}
_PIXELS_PER_MODULE = 8


def picture(member_number: str, *, kind: str) -> bytes:
    """``kind`` is a key of ``MEDIA_TYPES``. Black on white with the quiet zone, so that it scans on a dark screen."""
    written = io.BytesIO()
    segno.make_qr(qr_payload(member_number), error="m").save(
        written, kind=kind, scale=_PIXELS_PER_MODULE, dark="black", light="white"
    )
    return written.getvalue()
