"""Mails leave by SMTP, each at least once, and tell the log nothing."""

import signal
import subprocess
import sys
import threading

import pytest
from sqlalchemy import text

from loyalty_gateway.domain import mails, users
from loyalty_gateway.sender import MailSender
from loyalty_gateway.transport import open_mailer

SENDER = "Loyalty <loyalty@example.com>"


@pytest.fixture
def mailer(mailbox):
    return open_mailer(f"smtp://127.0.0.1:{mailbox.port}?starttls=never", sender=SENDER)


@pytest.fixture
def waiting(engine, new_organization, change):
    """The ids of mails to users of one organization, and nothing else that waits."""
    change("delete from mails")

    def queue(count=1):
        organization_id = new_organization()["id"]
        with engine.begin() as connection:
            for number in range(count):
                email = f"kim{organization_id}.{number}@example.com"
                of = {"organization_id": organization_id, "name": "Kim", "role": "staff", "status": "invited"}
                mails.to_user(connection, users.add(connection, email=email, **of)["id"], "invitation")
            return list(connection.execute(text("select id from mails order by id")).scalars())

    yield queue
    change("delete from mails")


@pytest.fixture
def sender(engine, mailer):
    return MailSender(engine, mailer, dashboard_url="https://dashboard.example.com")


@pytest.fixture
def mail_process(environment, mailbox, tmp_path):
    """``mail_process()`` is a worker of its own."""
    processes = []

    def start(url=f"smtp://127.0.0.1:{mailbox.port}?starttls=never"):
        settings = {"MAILER_URL": url, "MAIL_FROM": SENDER, "DASHBOARD_URL": "https://dashboard.example.com"}
        with (tmp_path / "log").open("ab") as log:
            command = [sys.executable, "-m", "loyalty_gateway", "mail"]
            processes.append(subprocess.Popen(command, env={**environment, **settings}, stderr=log))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_what_cannot_be_sent_now_is_tried_again_later(mailbox, sender, waiting, engine):
    (mail_id,) = waiting()
    mailbox.behave = lambda verb: "451 later" if verb == "ACCEPT" else None
    assert sender.step()
    assert not sender.step(), "it waits for its pause"
    with engine.begin() as connection:
        (row,) = connection.execute(text("select * from mails")).mappings()
        assert (row["id"], row["attempts"], row["gave_up_at"]) == (mail_id, 1, None)
        connection.execute(text("update mails set available_at = now()"))
    mailbox.behave = lambda _: None
    assert sender.step()
    assert len(mailbox.letters) == 1
    assert not sender.step()


def test_what_will_never_be_taken_is_kept_for_the_operator(mailbox, sender, waiting, engine):
    waiting()
    mailbox.behave = lambda verb: "550 no such user" if verb == "RCPT" else None
    assert sender.step()
    with engine.connect() as connection:
        assert connection.execute(text("select gave_up_at is not null from mails")).scalar_one()
    assert not sender.step()


def test_after_three_days_it_is_given_up(mailbox, sender, waiting, engine, change):
    waiting()
    change("update mails set created_at = now() - interval '73 hours'")
    mailbox.behave = lambda verb: "451 later" if verb == "ACCEPT" else None
    sender.step()
    with engine.connect() as connection:
        assert connection.execute(text("select gave_up_at is not null from mails")).scalar_one()


def test_a_worker_that_is_killed_in_the_middle_loses_nothing(mailbox, mail_process, waiting, until, change):
    waiting(3)
    said, go_on = threading.Event(), threading.Event()

    def hang(verb):
        if verb != "ACCEPT":
            return None
        said.set()
        go_on.wait(20)
        return "451 nobody is there to hear this"

    mailbox.behave = hang
    process = mail_process()
    assert said.wait(30)
    process.send_signal(signal.SIGKILL)
    process.wait()
    go_on.set()
    mailbox.behave = lambda _: None
    change("update mails set available_at = now()")  # As its lease would have ended in two minutes.
    process = mail_process()
    until(lambda: len({letter["To"] for letter in mailbox.letters}) == 3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    # The one that was being taken may have come twice; its Message-ID says so.
    assert len({letter["Message-ID"] for letter in mailbox.letters}) == 3


def test_two_workers_send_each_mail_once(mailbox, mailer, engine, waiting):
    waiting(10)
    senders = [MailSender(engine, mailer, dashboard_url="https://d.example.com") for _ in range(2)]

    def drain(sender):
        while sender.step():
            pass

    threads = [threading.Thread(target=drain, args=(sender,)) for sender in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(letter["To"] for letter in mailbox.letters) == sorted({letter["To"] for letter in mailbox.letters})
    assert len(mailbox.letters) == 10


def test_with_smtp_neither_link_nor_address_is_logged_and_with_log_both_are(
    mailbox, mail_process, waiting, until, tmp_path
):
    waiting()
    process = mail_process()
    until(lambda: "mail_sent" in (tmp_path / "log").read_text())
    process.terminate()
    process.wait()
    assert "password-resets" not in (tmp_path / "log").read_text()
    assert "kim" not in (tmp_path / "log").read_text()
    assert "password-resets" in mailbox.letters[0].get_content()
    waiting()
    mail_process("log")
    until(lambda: "https://dashboard.example.com/password-resets/" in (tmp_path / "log").read_text())
