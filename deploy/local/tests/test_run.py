"""What a newcomer sees of ``make run``, and what is left of it."""

import csv
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from datetime import datetime
from random import Random

import pytest

from loyalty_local.demo_data import people, visits
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
    assert '"total":1' in listed(tmp_path, "/customers?search=rivera")

    launcher.kill()
    launcher.wait()
    launcher, _ = launch()
    assert '"total":1' in listed(tmp_path, "/customers?search=rivera")


@pytest.mark.timeout(600)
def test_the_demo_organization_gets_its_month_once_however_its_making_was_interrupted(launch, tmp_path, wait_until):
    def credited(count):
        return lambda: total(tmp_path, "/loyalty-cards/1/transactions") >= count

    launcher, _ = launch()
    wait_until(credited(20))
    launcher.kill()
    launcher.wait()
    launcher, _ = launch()
    wait_until(credited(200))
    launcher.send_signal(signal.SIGINT)
    assert launcher.wait(60) == 0
    assert not whole(tmp_path)
    launch()
    wait_until(lambda: whole(tmp_path))

    until = datetime.fromisoformat(json.loads((tmp_path / "var" / "demo-data.json").read_text())["until"])
    random = Random(2026)
    bought = visits.of_a_month(people.members(until.date(), random), until=until, random=random)
    rows = csv.DictReader(listed(tmp_path, "/exports/transactions.csv?loyalty_card_id=1").splitlines())
    credited_once = sorted(row["purchase_reference"] for row in rows if row["type"] == "earn")
    assert credited_once == sorted(
        [f"R-{visit.number + 10_001}" for visit in bought] + [f"N-{number + 1}" for number in (1, 2, 4, 5)]
    )
    for path, count in [
        ("/customers", 66),
        ("/partner-locations", 3),
        ("/loyalty-cards", 1),
        ("/loyalty-cards/1/rewards", 4),
        ("/stamp-cards", 1),
        ("/vouchers", 192),
        ("/voucher-batches", 2),
        ("/imports", 1),
        ("/referral-programs", 1),
        ("/referral-programs/1/referrals", 6),
        ("/loyalty-cards/1/claims", 3),
    ]:
        assert (path, total(tmp_path, path)) == (path, count)


def test_a_process_that_is_killed_is_back_at_once_and_the_terminal_says_so(launch, tmp_path):
    launcher, _ = launch()
    serve = next(one for one in Record(tmp_path / "var" / "processes.json").read() if one.name == "customers-serve")

    serve.signal_group(signal.SIGKILL)

    told = next(line for line in launcher.stdout if "customers-serve" in line)
    assert "customers-serve was ended by SIGKILL; it is started again" in told
    deadline = time.monotonic() + 60
    while '"total"' not in listed(tmp_path):
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


def whole(directory):
    return json.loads((directory / "var" / "demo-data.json").read_text())["is_whole"]


def total(directory, path):
    """How many there are; 0 of what is not there yet."""
    return json.loads(listed(directory, path)).get("meta", {}).get("total", 0)


def listed(directory, path="/customers"):
    return shell(f'. {directory}/var/demo.env; curl "$LOYALTY_URL{path}" -H "Authorization: Bearer $LOYALTY_API_KEY"')


def shell(command):
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
