"""What the Content-Security-Policy forbids is not written in the first place, and what is named is there."""

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src/loyalty_dashboard"
TEMPLATES = sorted((PACKAGE / "templates").rglob("*.html"))
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)[^>]*>|<style\b|\sstyle=|\son[a-z]+=\"|javascript:|(?:src|href|action)=\"(?:https?:)?//"
)


def named(path):
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_no_script_or_style_stands_in_a_page(template):
    assert INLINE.findall(template.read_text()) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=named)
def test_every_form_that_is_sent_says_whose_it_is(template):
    forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", template.read_text(), re.DOTALL)
    for form in forms:
        assert re.search(r"csrf_token|hidden\(|/preferences", form), form


def test_every_vendored_file_has_its_licence():
    files = [path.name for path in (PACKAGE / "static/vendor").iterdir()]
    names = {re.split(r"[-.]\d", name)[0] for name in files if not name.endswith("-LICENSE")}
    assert {f"{name}-LICENSE" for name in names} <= set(files)
