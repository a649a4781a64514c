"""The import rules of pyproject.toml hold, and each of them is seen to fail on a seeded violation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("gateway", "customers", "programs", "vouchers", "webhooks", "dashboard")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the packages in ``folder``."""
    linter = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [linter, "--config", ROOT / "pyproject.toml", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"},  # a contract and its verdict on one line
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all packages, side by side."""
    folder = tmp_path_factory.mktemp("packages")
    shutil.copytree(ROOT / "libs/common/src/loyalty_common", folder / "loyalty_common")
    for service in SERVICES:
        shutil.copytree(ROOT / f"services/{service}/src/loyalty_{service}", folder / f"loyalty_{service}")
    return folder


def test_the_rules_hold(packages: Path) -> None:
    result = lint(packages)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "seeded", "broken"),
    [
        ("loyalty_vouchers/events.py", "import loyalty_programs.events", "Services know nothing of each other"),
        ("loyalty_common/envelope.py", "import loyalty_customers.events", "never calls them"),
        ("loyalty_customers/domain/profiles.py", "import loyalty_customers.api.customers", "Dependencies point down"),
        ("loyalty_programs/events/points.py", "import loyalty_programs.domain.earning", "Dependencies point down"),
        ("loyalty_programs/models/cards.py", "import loyalty_programs.events", "Dependencies point down"),
        ("loyalty_vouchers/settings.py", "import loyalty_vouchers.events", "Dependencies point down"),
        ("loyalty_webhooks/consumers/events.py", "import loyalty_webhooks.api.endpoints", "Dependencies point down"),
        ("loyalty_vouchers/domain/redeeming.py", "import flask", "neither Flask nor the broker"),
        (
            "loyalty_dashboard/web/forms.py",
            "import loyalty_dashboard.views.home",
            "In the dashboard dependencies point",
        ),
        ("loyalty_dashboard/api.py", "import sqlalchemy", "knows the public API and no database"),
        ("loyalty_gateway/domain/keys.py", "import pika", "Only the gateway's relay process loads pika"),
    ],
)
def test_a_seeded_violation_is_found(packages: Path, module: str, seeded: str, broken: str) -> None:
    path = packages / module
    original = path.read_text()
    path.write_text(f"{original}\n{seeded}\n")
    try:
        result = lint(packages)
    finally:
        path.write_text(original)
    assert result.returncode == 1
    failed = [line for line in result.stdout.splitlines() if "BROKEN" in line]
    assert any(broken in line for line in failed), result.stdout
