"""Translations: gathered from code and templates into ``translations/<language>.po``, and read from there at start."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from babel.support import NullTranslations, Translations

SOURCE_LANGUAGE = "en"
_PACKAGE = Path(__file__).parents[1]
_FOLDER = _PACKAGE / "translations"
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
_OPTIONS = {"templates/**.html": {"extensions": "jinja2.ext.do,jinja2.ext.loopcontrols", "silent": "false"}}
# ``mark``: of texts that stand in constants and are translated where they are shown.
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "mark": None}
Translated = NullTranslations


def load() -> dict[str, Translated]:
    """By language; the texts of the code themselves are English."""
    found: dict[str, Translated] = {SOURCE_LANGUAGE: NullTranslations()}
    for path in sorted(_FOLDER.glob("*.po")):
        compiled = BytesIO()
        write_mo(compiled, _read(path))
        compiled.seek(0)
        found[path.stem] = Translations(cast(BinaryIO, compiled))
    return found


def update() -> dict[str, list[str]]:
    """Writes the files anew, with what was translated; returns by language what is not."""
    missing = {}
    for path in sorted(_FOLDER.glob("*.po")):
        known, catalogue = _read(path), Catalog(locale=path.stem, header_comment="", fuzzy=False)
        for text in _texts():
            before = known.get(text[0] if isinstance(text, tuple) else text)
            catalogue.add(text, before.string if before else None)
        path.write_bytes(_written(catalogue))
        missing[path.stem] = untranslated(catalogue)
    return missing


def catalogues() -> dict[str, Catalog]:
    return {path.stem: _read(path) for path in sorted(_FOLDER.glob("*.po"))}


def is_up_to_date(catalogue: Catalog) -> bool:
    return {message.id for message in catalogue if message.id} == set(_texts())


def untranslated(catalogue: Catalog) -> list[str]:
    messages = [message for message in catalogue if message.id]
    return [str(message.id) for message in messages if not message.string or not all(message.string)]


def _texts() -> Iterator[str | tuple[str, ...]]:
    found = extract_from_dir(_PACKAGE, _METHODS, _OPTIONS, keywords=_KEYWORDS)
    yield from sorted({message for _, _, message, _, _ in found}, key=str)


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


def _written(catalogue: Catalog) -> bytes:
    """Without numbers of lines or dates, so that two branches change the same line only for the same text."""
    file = BytesIO()
    write_po(file, catalogue, width=0, no_location=True, omit_header=True, sort_output=True)
    head = ["Content-Type: text/plain; charset=utf-8", f"Plural-Forms: {catalogue.plural_forms}"]
    lines = ['msgid ""', 'msgstr ""', *(f'"{line}\\n"' for line in head), "", file.getvalue().decode().strip(), ""]
    return "\n".join(lines).encode()
