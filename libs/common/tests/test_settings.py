import pytest

from loyalty_common.settings import Environment, SettingsError


def test_everything_that_is_wrong_is_named_at_once_and_no_value_is_shown() -> None:
    environment = Environment({"PORT": "many", "SECRET": "c2hvcnQ=", "HOME_URL": "ftp://example.com", "KEYS": "[1]"})
    environment.integer("PORT")
    environment.key32("SECRET")
    environment.url("HOME_URL")
    environment.json_object("KEYS")
    environment.text("MISSING")
    with pytest.raises(SettingsError) as refused:
        environment.check()
    assert [problem.split()[0] for problem in refused.value.problems] == [
        "PORT",
        "SECRET",
        "HOME_URL",
        "KEYS",
        "MISSING",
    ]
    assert not any(value in str(refused.value) for value in ("many", "c2hvcnQ=", "ftp://example.com"))


@pytest.mark.parametrize(
    "url", ["amqp://u:p@broker:5672/%2F", "amqps://broker", "webhooks=http://a:1, programs=http://b:2"]
)
def test_events_go_to_a_broker_or_to_named_subscribers(url: str) -> None:
    environment = Environment({"EVENTS_URL": url})
    assert environment.events_url("EVENTS_URL") == url
    environment.check()


@pytest.mark.parametrize("url", ["http://broker", "webhooks", "webhooks=", "webhooks=http://a:1,", "kafka://broker"])
def test_events_that_would_go_nowhere_stop_the_start(url: str) -> None:
    environment = Environment({"EVENTS_URL": url})
    environment.events_url("EVENTS_URL")
    with pytest.raises(SettingsError, match="EVENTS_URL must begin with"):
        environment.check()
