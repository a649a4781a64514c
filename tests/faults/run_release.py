"""``python run_release.py DIRECTORY PORT POSTGRES_URL``: the suite of whatever code PYTHONPATH names, on databases that
somebody else has migrated. Says where that code is once all is ready; ends when its input does.
"""

import dataclasses
import json
import os
import sys
from pathlib import Path

import loyalty_programs
from loyalty_local.keys import Keys
from loyalty_local.suite import Suite


class AfterTheMigrations(Suite):
    def run(self, service: str, *arguments: str) -> str:
        """A release has nothing to say on a schema that is newer than itself; the first ones refuse to look at it."""
        return "" if arguments == ("migrate",) else super().run(service, *arguments)


def take_over(keys: Path) -> None:
    """Those that this code knows; a later one may have more."""
    known = {field.name for field in dataclasses.fields(Keys)}
    keys.write_text(json.dumps({name: key for name, key in json.loads(keys.read_text()).items() if name in known}))


def main(directory: str, port: str, postgres_url: str) -> None:
    take_over(Path(directory, "keys.json"))
    environment = {"PYTHONPATH": os.environ["PYTHONPATH"]}
    suite = AfterTheMigrations(Path(directory), port=int(port), postgres_url=postgres_url, environment=environment)
    with suite:
        suite.wait_ready(timeout_s=120)
        print(loyalty_programs.__file__, suite.base_url, flush=True)  # noqa: T201
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
