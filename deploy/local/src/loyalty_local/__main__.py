"""``loyalty-local run | reset``: the whole suite on one machine, in ``var/``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path

from loyalty_local.demo import data_of, demo_of
from loyalty_local.demo_data.progress import DemoData
from loyalty_local.founding import introduction
from loyalty_local.ports import PortTaken
from loyalty_local.postgres import PostgresFailed
from loyalty_local.readiness import NotReady
from loyalty_local.suite import Suite, SuiteFailed, forget

_READY = """
  The same as variables in {directory}/demo.env, logs in {directory}/log.
  Ctrl-C stops everything and keeps the data; make reset forgets them.
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="loyalty-local", description="The whole suite on one machine.")
    parser.add_argument("command", choices=["run", "reset"])
    parser.add_argument("--directory", type=Path, default=Path("var"), help="where everything is kept (default: var)")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8080")), help="of the gateway")
    arguments = parser.parse_args()
    # A closed terminal and a supervisor's SIGTERM mean what Ctrl-C means.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        if arguments.command == "run":
            run(arguments.directory, port=arguments.port)
        else:
            forget(arguments.directory)
    except (SuiteFailed, NotReady, PortTaken, PostgresFailed) as failure:
        sys.exit(f"\n  {failure}\n")


def run(directory: Path, *, port: int) -> None:
    began = time.monotonic()
    suite = Suite(directory, port=port, say=_say)
    data = data_of(suite)
    try:
        print("  Loyalty is starting …", flush=True)
        suite.start()
        demo = demo_of(suite)
        suite.wait_ready()
        print(introduction(demo, seconds=time.monotonic() - began) + _READY.format(directory=directory), flush=True)
        data.go_on(demo, say=_say)
        threading.Event().wait()
    except KeyboardInterrupt:
        print("\n  Stopping …", flush=True)
    finally:
        _stop(suite, data)


def _say(line: str) -> None:
    print(f"  {line}", flush=True)


def _stop(suite: Suite, data: DemoData) -> None:
    """The second Ctrl-C does not wait for what is under way."""

    def insist(*_: object) -> None:
        for process in suite.processes.values():
            process.kill()

    signal.signal(signal.SIGINT, insist)
    data.stop()
    suite.stop()


if __name__ == "__main__":
    main()
