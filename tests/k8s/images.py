"""What is in the image of a service: its commands, what each reads from its environment, and where it listens."""

from __future__ import annotations

import argparse
import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from loyalty_gateway import mail_settings
from loyalty_gateway import settings as gateway_settings
from loyalty_gateway.api import forward_auth, pages

ROOT = Path(__file__).parents[2]
# Which settings each process of the gateway reads; the processes of the other services all read the same.
GATEWAY_READS = {
    "serve": gateway_settings.Serve.read,
    "forward-auth": gateway_settings.Serve.read,
    "internal": gateway_settings.Internal.read,
    "relay": gateway_settings.Relay.read,
    "consume": gateway_settings.Consume.read,
    "mail": mail_settings.Mail.read,
    "migrate": gateway_settings.read_accounts,
    "job": gateway_settings.read_accounts,
}


class Recorded(Mapping[str, str]):
    """An environment that remembers which variables were looked up."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.read: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return self._variables.get(name, default)

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


def parse(service: str, arguments: Sequence[str]) -> argparse.Namespace:
    """As the service's own command would; ``SystemExit`` if it refuses."""
    parser: argparse.ArgumentParser = importlib.import_module(f"loyalty_{service}.__main__")._parser()
    return parser.parse_args(arguments)


def settings(service: str, command: str, variables: Mapping[str, str]) -> tuple[Any, set[str]]:
    """What the process makes of its environment, and which variables it looked up; ``SettingsError`` if it refuses."""
    recorded = Recorded(variables)
    if service == "gateway":
        return GATEWAY_READS[command](recorded), recorded.read
    module = importlib.import_module(f"loyalty_{service}.settings")
    return module.from_environment(recorded), recorded.read


def paths(service: str, command: str, read: Any) -> set[str]:
    """Which paths without parameters a listener answers; ``read``: its settings."""
    if (service, command) == ("gateway", "serve"):
        return set(pages.PATHS)
    if (service, command) == ("gateway", "forward-auth"):
        return set(forward_auth._HEALTH)
    app = importlib.import_module(f"loyalty_{service}.app")
    if service == "gateway":
        return {
            rule.rule for rule in app.create_internal(gateway_settings.internal_for_document()).url_map.iter_rules()
        }
    if service == "dashboard":
        return {rule.rule for rule in app.create_app(read).url_map.iter_rules()}
    module = importlib.import_module(f"loyalty_{service}.settings")
    return {rule.rule for rule in app.create_app(module.for_document()).url_map.iter_rules()}


def entry_point(service: str) -> str:
    """The command that the package of a service installs."""
    (found,) = [
        found.name for found in entry_points(group="console_scripts") if found.module == f"loyalty_{service}.__main__"
    ]
    return found


def sets(service: str) -> dict[str, str]:
    """The variables that the image of a service itself sets."""
    lines = re.findall(r"^ENV (.+)$", dockerfile_stage(service).replace("\\\n", " "), re.MULTILINE)
    return dict(pair.split("=", 1) for line in lines for pair in line.split())


def dockerfile_stage(target: str) -> str:
    """The instructions of a target of the Dockerfile and of those that it is made from."""
    stages = re.split(r"^(?=FROM )", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    named = {match[2]: (match[1], stage) for stage in stages if (match := re.match(r"FROM (\S+) AS (\S+)", stage))}
    text = ""
    while target in named:
        target, stage = named[target]
        text = stage + text
    return text
