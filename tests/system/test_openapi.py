"""The merged OpenAPI says what the suite does: schemathesis calls every operation and finds no fault."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import requests

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture(scope="module")
def document(suite: Any) -> dict[str, Any]:
    response = requests.get(f"{suite.base_url}/openapi.json", timeout=10)
    assert response.headers["Content-Type"] == "application/json"
    document: dict[str, Any] = response.json()
    return document


def test_the_document_is_openapi_3_1_for_the_public_address(suite: Any, document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert [server["url"] for server in document["servers"]] == [suite.base_url]
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_operation_is_named_once_and_says_how_it_fails(document: dict[str, Any]) -> None:
    operations = [op for methods in document["paths"].values() for op in methods.values() if isinstance(op, dict)]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all({"400", "401", "403", "429", "500"} <= set(operation["responses"]) for operation in operations)


@pytest.mark.timeout(900)
def test_schemathesis_finds_nothing(suite: Any, merchant: Any, tmp_path: Path) -> None:
    """All checks, on a merchant who has something to be found; 400 is how business rules answer."""
    location = {"partner_location_id": merchant.partner_location_id}
    merchant.api.data("POST", "/customers", {"email": "alex@example.com"})
    merchant.api.data("POST", "/loyalty-cards", {"name": "Points", **location})
    keys = {
        "LOYALTY_API_KEY": merchant.live_key,
        "EXPENDABLE_API_KEY": merchant.test_api.data("POST", "/api-keys", {"name": "Expendable"})["key"],
    }
    result = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "--config-file",
            CONFIGURATION,
            "run",
            f"{suite.base_url}/openapi.json",
            # The same requests at every run: what is red can be repeated. Another number tries others.
            "--seed",
            os.environ.get("SCHEMATHESIS_SEED", "1"),
        ],
        cwd=tmp_path,
        env={**os.environ, **keys, "PYTHONWARNINGS": "ignore", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=840,
    )
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr[-2_000:]
