"""Nothing is shown in a language that the reader did not choose."""

import re

import pytest

from loyalty_dashboard.web import catalogues

_PLACEHOLDER = re.compile(r"%\(\w+\)s")


@pytest.mark.parametrize("language", ["de"])
def test_every_text_of_code_and_templates_is_translated_and_no_other(language):
    catalogue = catalogues.catalogues()[language]
    assert catalogues.is_up_to_date(catalogue), "loyalty-dashboard messages"
    assert catalogues.untranslated(catalogue) == []


@pytest.mark.parametrize("language", ["de"])
def test_a_translation_has_the_same_places_for_names_and_figures(language):
    for message in catalogues.catalogues()[language]:
        originals = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for original, string in zip(originals, strings, strict=True):
            assert set(_PLACEHOLDER.findall(string)) == set(_PLACEHOLDER.findall(original)), original
