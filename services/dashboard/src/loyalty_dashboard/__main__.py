"""``loyalty-dashboard serve | messages``

Imports stand in the commands: ``serve`` becomes gunicorn, so it loads nothing of its own.
"""

from __future__ import annotations

import argparse
import os
import sys

from loyalty_common.settings import SettingsError
from loyalty_dashboard import settings as settings_module
from loyalty_dashboard.settings import SERVICE


def main() -> None:
    {"serve": _serve, "messages": _messages}[_parser().parse_args().command]()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"loyalty-{SERVICE}", description="What people see in a browser.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer HTTP")
    commands.add_parser("messages", help="bring translations/ up to date with the texts of code and templates")
    return parser


def _serve() -> None:
    from loyalty_common.serving import serve

    try:
        settings = settings_module.from_environment(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
    app = "loyalty_dashboard.app:from_environment()"
    serve(app, bind=settings.bind, workers=settings.web_workers, threads=settings.web_threads)


def _messages() -> None:
    from loyalty_dashboard.web import catalogues

    for language, missing in catalogues.update().items():
        print(f"{language}: {len(missing)} without a translation", *missing, sep="\n  ")


if __name__ == "__main__":
    main()
