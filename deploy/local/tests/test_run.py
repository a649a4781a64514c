"""What a newcomer sees of ``make run``, and what is left of it."""

import csv
import json
import os
import re
import signal
import stat
import subprocess
import sys
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


@pytest.mark.timeout(600)
def test_the_demo_organization_and_its_month_outlive_kill_9_and_ctrl_c(launch, tmp_path, wait_until):
    """Three lives of one suite: whoever waits for its start waits for each of them."""
    launcher, printed = launch()
    check_that_one_can_begin(printed, tmp_path)
    wait_until(lambda: credited(tmp_path) >= 20)
    launcher.kill()
    launcher.wait()

    launcher, printed_again = launch()
    assert key(printed_again) == key(printed)
    assert '"total":1' in listed(tmp_path, "/customers?search=rivera")
    wait_until(lambda: credited(tmp_path) >= 200)
    check_that_ctrl_c_ends_all(launcher, tmp_path)
    assert not whole(tmp_path)

    launcher, _ = launch()
    assert '"total":1' in listed(tmp_path, "/customers?search=rivera")
    wait_until(lambda: whole(tmp_path))
    check_that_the_month_was_made_once(tmp_path)
    check_that_a_killed_process_is_back_and_the_terminal_says_so(launcher, tmp_path, wait_until)
    # Where all is ready early, what does not listen is still to come.
    wait_until(lambda: {process.name for process in running(tmp_path)} >= EVERY_KIND)
    check_that_ctrl_c_ends_all(launcher, tmp_path)


def check_that_one_can_begin(printed, directory):
    assert '"name":"Alex Rivera"' in pasted(printed)
    assert '"role":"owner"' in signed_in(directory)
    assert stat.S_IMODE((directory / "var" / "demo.env").stat().st_mode) == 0o600


def check_that_ctrl_c_ends_all(launcher, directory):
    processes = running(directory)
    launcher.send_signal(signal.SIGINT)
    assert launcher.wait(60) == 0
    assert not any(process.is_alive() for process in processes)


def check_that_the_month_was_made_once(directory):
    until = datetime.fromisoformat(json.loads((directory / "var" / "demo-data.json").read_text())["until"])
    random = Random(2026)
    bought = visits.of_a_month(people.members(until.date(), random), until=until, random=random)
    card, program = (one(directory, noun) for noun in ("/loyalty-cards", "/referral-programs"))
    rows = csv.DictReader(
        listed(directory, f"/exports/transactions.csv?loyalty_card_id={card.rpartition('/')[2]}").splitlines()
    )
    credited_once = sorted(row["purchase_reference"] for row in rows if row["type"] == "earn")
    assert credited_once == sorted(
        [f"R-{visit.number + 10_001}" for visit in bought] + [f"N-{number + 1}" for number in (1, 2, 4, 5)]
    )
    for path, count in [
        ("/customers", 66 + 1),  # and Alex Rivera
        ("/partner-locations", 3),
        ("/loyalty-cards", 1),
        (f"{card}/rewards", 4),
        ("/stamp-cards", 1),
        ("/vouchers", 192),
        ("/voucher-batches", 2),
        ("/imports", 1),
        ("/referral-programs", 1),
        (f"{program}/referrals", 6),
        (f"{card}/claims", 3),
    ]:
        assert (path, total(directory, path)) == (path, count)


def check_that_a_killed_process_is_back_and_the_terminal_says_so(launcher, directory, wait_until):
    serve = next(one for one in running(directory) if one.name == "customers-serve")

    serve.signal_group(signal.SIGKILL)

    told = next(line for line in launcher.stdout if "customers-serve" in line)
    assert "customers-serve was ended by SIGKILL; it is started again" in told
    wait_until(lambda: '"total"' in listed(directory))


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


def running(directory):
    return Record(directory / "var" / "processes.json").read()


def whole(directory):
    return json.loads((directory / "var" / "demo-data.json").read_text())["is_whole"]


def one(directory, noun):
    """The path of the only one; of none, one that leads nowhere."""
    return f"{noun}/{next((found['id'] for found in json.loads(listed(directory, noun))['data']), 0)}"


def credited(directory):
    return total(directory, f"{one(directory, '/loyalty-cards')}/transactions")


def total(directory, path):
    """How many there are; 0 of what is not there yet."""
    return json.loads(listed(directory, path)).get("meta", {}).get("total", 0)


def listed(directory, path="/customers"):
    return shell(f'. {directory}/var/demo.env; curl "$LOYALTY_URL{path}" -H "Authorization: Bearer $LOYALTY_API_KEY"')


def shell(command):
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
