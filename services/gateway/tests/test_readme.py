"""What the README says of the environment is what the processes read of it."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from loyalty_common.settings import Environment, SettingsError
from loyalty_gateway import settings
from loyalty_gateway.mail_settings import Mail

ROWS = re.findall(
    r"^\| `([A-Z_]+)` \| ([a-z, ]+) \| (.*?) \|",
    (Path(__file__).parents[1] / "README.md").read_text(),
    re.MULTILINE,
)
READERS = {
    "serve": settings.Serve.read,
    "internal": settings.Internal.read,
    "relay": settings.Relay.read,
    "consume": settings.Consume.read,
    "mail": Mail.read,
    "migrate": settings.read_accounts,
    "keys create": lambda variables: settings.read_account_command(variables, needs_peppers=True),
}


class Watched(Mapping):
    """An empty environment that notes what it was asked for."""

    def __init__(self):
        self.asked = set()

    def __getitem__(self, name):
        self.asked.add(name)
        raise KeyError(name)

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0


def documented(process):
    return {name: default for name, used_by, default in ROWS if used_by == "all" or process in used_by.split(", ")}


@pytest.mark.parametrize("process", READERS)
def test_the_readme_names_what_each_process_reads_and_what_it_cannot_do_without(process):
    environment = Watched()
    with pytest.raises(SettingsError) as refused:
        READERS[process](environment)
    named = {problem.split()[0] for problem in refused.value.problems}
    assert named == {name for name, default in documented(process).items() if default == "required"}
    # The pool's default depends on it everywhere.
    assert environment.asked - {"WEB_THREADS"} == documented(process).keys() - {"WEB_THREADS"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROGRAMS_URL", "https://programs"),
        ("PROGRAMS_URL", "http://programs/v1"),
        ("FORWARDED_ALLOW_IPS", "everybody"),
        ("KEY_PEPPERS", '{"1": "c2hvcnQ="}'),
        ("IDENTITY_PRIVATE_KEY", "short"),
        ("WEB_WORKERS", "0"),
        ("DATABASE_URL", "sqlite://"),
    ],
)
def test_a_value_that_makes_no_sense_is_named_and_not_repeated(name, value):
    with pytest.raises(SettingsError) as refused:
        settings.Serve.read({name: value})
    (problem,) = [problem for problem in refused.value.problems if problem.startswith(name)]
    assert value not in problem


def test_several_urls_of_one_service_are_told_apart():
    env = Environment({"PROGRAMS_URL": "http://one:8000/, http://two:8000"})
    assert settings._urls(env, "PROGRAMS_URL") == ("http://one:8000", "http://two:8000")


@pytest.mark.parametrize(
    "value", ["pigeon", "http://mail", "smtp://", "smtp://user:secret@mail/path", "smtp://m?tls=1"]
)
def test_a_way_for_mails_that_leads_nowhere_is_refused_without_its_password(value):
    with pytest.raises(SettingsError) as refused:
        Mail.read({"MAILER_URL": value})
    (problem,) = [problem for problem in refused.value.problems if problem.startswith("MAILER_URL")]
    assert "secret" not in problem


def test_sign_up_is_open_or_closed():
    assert settings._sign_up_plan(Environment({})) is None
    assert settings._sign_up_plan(Environment({"SIGN_UP": "open"})) == "starter"
    with pytest.raises(SettingsError) as refused:
        settings.Internal.read({"SIGN_UP": "perhaps"})
    assert any(problem.startswith("SIGN_UP") for problem in refused.value.problems)
