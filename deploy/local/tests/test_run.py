"""What a newcomer sees of ``make run``, and what is left of it."""

import os
import re
import signal
import stat
import subprocess
import sys
import time

import pytest

from loyalty_local.leftovers import Record

pytestmark = pytest.mark.system

EVERY_KIND = {"postgres", "gateway-serve", "gateway-mail", "programs-relay", "webhooks-deliver", "vouchers-job"}
COMMAND = re.compile(r"(curl .*?'\n)\n", re.DOTALL)


@pytest.fixture
def launch(tmp_path, port):
    """Starts the suite as ``make run`` does and returns its launcher and what it printed when all was ready."""
    launchers = []

    def launch():
        command = [sys.executable, "-u", "-m", "loyalty_local", "run", "--directory", "var", "--port", str(port)]
        launcher = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        launchers.append(launcher)
        printed = ""
        while "Ctrl-C" not in printed:
            line = launcher.stdout.readline()
            assert line, f"the launcher ended: {printed}"
            printed += line
        return launcher, printed

    yield launch
    for launcher in launchers:
        launcher.send_signal(signal.SIGTERM)
        launcher.communicate(timeout=60)
    subprocess.run([sys.executable, "-m", "loyalty_local", "reset"], cwd=tmp_path, check=True)


@pytest.fixture
def port():
    """A port below those of outgoing connections, of which many are free in a row."""
    return 18000 + os.getpid() % 1000


def test_the_printed_curl_works_and_the_data_outlive_ctrl_c_and_kill_9(launch, tmp_path, wait_until):
    launcher, printed = launch()
    assert '"name":"Alex Rivera"' in pasted(printed)
    assert '"role":"owner"' in signed_in(tmp_path)
    assert stat.S_IMODE((tmp_path / "var" / "demo.env").stat().st_mode) == 0o600
    record = Record(tmp_path / "var" / "processes.json")
    # Where all is ready early, what does not listen is still to come.
    wait_until(lambda: {process.name for process in record.read()} >= EVERY_KIND)
    running = record.read()

    launcher.send_signal(signal.SIGINT)

    assert launcher.wait(60) == 0
    assert not any(process.is_alive() for process in running)

    launcher, printed_again = launch()
    assert key(printed_again) == key(printed)
    assert '"total":1' in listed(tmp_path)

    launcher.kill()
    launcher.wait()
    launcher, _ = launch()
    assert '"total":1' in listed(tmp_path)


def test_a_process_that_is_killed_is_back_at_once_and_the_terminal_says_so(launch, tmp_path):
    launcher, _ = launch()
    serve = next(one for one in Record(tmp_path / "var" / "processes.json").read() if one.name == "customers-serve")

    serve.signal_group(signal.SIGKILL)

    told = next(line for line in launcher.stdout if "customers-serve" in line)
    assert "customers-serve was ended by SIGKILL; it is started again" in told
    deadline = time.monotonic() + 60
    while '"total":0' not in listed(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def pasted(printed):
    return shell(COMMAND.search(printed)[1])


def signed_in(directory):
    """What the demo's owner is answered who signs in with the printed password."""
    return shell(
        f'. {directory}/var/demo.env; curl "$LOYALTY_URL/sessions" -H "Content-Type: application/json" '
        """-d '{"email": "'"$DASHBOARD_EMAIL"'", "password": "'"$DASHBOARD_PASSWORD"'"}'"""
    )


def key(printed):
    return re.search(r"lpk_live_\w+", printed)[0]


def listed(directory):
    return shell(
        f'. {directory}/var/demo.env; curl "$LOYALTY_URL/customers" -H "Authorization: Bearer $LOYALTY_API_KEY"'
    )


def shell(command):
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
