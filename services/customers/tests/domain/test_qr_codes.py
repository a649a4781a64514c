"""Pictures of member numbers scan: what they show is the payload, module by module."""

from __future__ import annotations

import zlib

import segno

from loyalty_customers.domain.qr_codes import picture

NUMBER = "4821-0093-7713"
PAYLOAD = "loyalty:member:4821-0093-7713"


def modules_of(png: bytes) -> list[list[int]]:
    """The dark modules of a picture of one bit per pixel, 8 pixels a module, without the quiet zone of 4."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(png):
        length, kind = int.from_bytes(png[at : at + 4]), png[at + 4 : at + 8]
        chunks[kind], body = png[at + 8 : at + 8 + length], png[at + 4 : at + 8 + length]
        assert int.from_bytes(png[at + 8 + length : at + 12 + length]) == zlib.crc32(body)
        at += 12 + length
    width, height = int.from_bytes(chunks[b"IHDR"][:4]), int.from_bytes(chunks[b"IHDR"][4:8])
    assert chunks[b"IHDR"][8:] == bytes([1, 0, 0, 0, 0])
    stride, raw = 1 + (width + 7) // 8, zlib.decompress(chunks[b"IDAT"])
    lines = [bytes(stride - 1)]
    for row in range(height):
        filtered, *line = raw[row * stride : (row + 1) * stride]
        assert filtered in (0, 2)
        lines.append(bytes((now + above * (filtered == 2)) % 256 for now, above in zip(line, lines[-1], strict=True)))
    pixels = [[1 - (line[x // 8] >> (7 - x % 8) & 1) for x in range(width)] for line in lines[1:]]
    return [row[32:-32:8] for row in pixels[32:-32:8]]


def test_a_png_shows_the_modules_of_the_payload() -> None:
    expected = segno.make_qr(PAYLOAD, error="m")
    assert modules_of(picture(NUMBER, kind="png")) == [list(row) for row in expected.matrix]


def test_an_svg_shows_the_payload_on_white() -> None:
    expected = segno.make_qr(PAYLOAD, error="m").svg_inline(scale=8, light="white")
    path = expected.partition('d="')[2].partition('"')[0]
    shown = picture(NUMBER, kind="svg")
    assert path.encode() in shown
    assert b'fill="#fff"' in shown
