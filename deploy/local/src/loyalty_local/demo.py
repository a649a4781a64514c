"""``demo.env``: the demo organization of a suite as variables of a shell."""

from __future__ import annotations

from functools import partial

from loyalty_local.demo_data.progress import DemoData
from loyalty_local.founding import found
from loyalty_local.keys import write_private
from loyalty_local.suite import Suite


def data_of(suite: Suite) -> DemoData:
    return DemoData(suite.directory / "demo-data.json")


def demo_of(suite: Suite) -> dict[str, str]:
    """The variables of ``demo.env``. The organization behind them is made once; its key and password are in this file
    only, so without the file there is a new organization."""
    path = suite.directory / "demo.env"
    if suite.is_new:
        path.unlink(missing_ok=True)  # It tells of another database.
    if path.exists():
        known = dict(line.split("=", 1) for line in path.read_text().splitlines())
    else:
        data_of(suite).begin()
        known = found(partial(suite.run, "gateway"))
    # The port may have changed since the last start.
    variables = known | {"LOYALTY_URL": suite.base_url, "DASHBOARD_URL": suite.layout.addresses.dashboard_url}
    write_private(path, "".join(f"{name}={value}\n" for name, value in sorted(variables.items())))
    return variables
