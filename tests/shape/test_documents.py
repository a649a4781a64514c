"""What the documents point at is there, and what they tell to run exists."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    path for path in ROOT.rglob("*.md") if not {".venv", "var", "node_modules"} & set(path.relative_to(ROOT).parts)
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text())
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert missing == []


def test_every_make_target_that_is_named_exists_and_says_what_it_does() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*?## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for document in DOCUMENTS for name in re.findall(r"`make ([a-z-]+)", document.read_text())}
    assert named <= targets
    assert {"run", "test", "check", "bench", "openapi", "reset"} <= targets


@pytest.mark.parametrize("service", ["customers", "programs", "vouchers", "webhooks"])
def test_the_published_document_is_what_the_service_says_now(service: str) -> None:
    command = [sys.executable, "-m", f"loyalty_{service}", "openapi"]
    printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert json.loads(printed) == json.loads((ROOT / f"contracts/openapi/{service}.json").read_text()), "make openapi"
