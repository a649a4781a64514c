"""How much a key and an organization may, and how they are told."""

import re
import time

CARDS = "/api/v1/loyalty-cards"


def test_every_answer_says_what_is_left(gateway, upstream, new_key):
    key = new_key("business")["key"]
    before = int(time.time())
    answer = gateway.ask("GET", CARDS, key=key)
    assert answer.headers["ratelimit-policy"] == '"key";q=3000;w=60, "organization";q=3000;w=60'
    assert answer.headers["ratelimit"] == '"key";r=499;t=1'
    assert answer.headers["x-ratelimit-limit"] == "3000"
    assert answer.headers["x-ratelimit-remaining"] == "499"
    assert before + 1 <= int(answer.headers["x-ratelimit-reset"]) <= int(time.time()) + 1
    for method, path in (("GET", "/api/v1/nowhere"), ("PUT", CARDS)):
        assert "ratelimit" in gateway.ask(method, path, key=key).headers
    assert "retry-after" not in answer.headers


def test_the_tightest_bucket_is_the_one_that_is_shown(gateway, upstream, new_organization, new_key, change):
    # So slow that nothing flows back while the test runs.
    change("insert into plans values ('slow', 'Slow', true, 6, 100)")
    organization = new_organization("slow")
    strict = new_key(organization_id=organization["id"])
    change("update api_keys set requests_per_minute = 3, burst = 5 where id = :id", id=strict["id"])
    answer = gateway.ask("GET", CARDS, key=strict["key"])
    assert answer.headers["ratelimit"] == '"key";r=4;t=20'
    assert answer.headers["ratelimit-policy"] == '"key";q=3;w=60, "organization";q=6;w=60'
    other = new_key(organization_id=organization["id"])["key"]
    answer = gateway.ask("GET", CARDS, key=other)
    assert answer.headers["ratelimit"].startswith('"organization";r=98;')
    assert answer.headers["x-ratelimit-limit"] == "6"


def test_beyond_the_burst_a_call_is_refused_and_takes_nothing(gateway, upstream, new_organization, new_key, change):
    organization = new_organization("developer")
    key = new_key(organization_id=organization["id"])
    change("update api_keys set requests_per_minute = 6, burst = 3 where id = :id", id=key["id"])
    answers = [gateway.ask("GET", CARDS, key=key["key"]) for _ in range(6)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429, 429]
    refused = answers[-1]
    assert refused.json["error"]["code"] == "rate_limited"
    assert refused.headers["ratelimit"] == f'"key";r=0;t={refused.headers["retry-after"]}'
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert len(upstream.received) == 3
    other = gateway.ask("GET", CARDS, key=new_key(organization_id=organization["id"])["key"])
    assert int(re.search(r"r=(\d+)", other.headers["ratelimit"]).group(1)) >= 96
    assert gateway.lines(event="request", kid=key["key"][9:19], status=429)[0]["limit"] == "key"


def test_a_call_that_may_not_is_told_that_and_not_to_wait(gateway, new_key, change):
    key = new_key("developer", scopes=("programs:read",))
    change("update api_keys set requests_per_minute = 6, burst = 1 where id = :id", id=key["id"])
    for _ in range(2):
        assert gateway.ask("POST", CARDS, key=key["key"], body="{}").status == 403
    assert gateway.ask("GET", CARDS, key=key["key"]).status == 429


def test_replicas_share_the_limit_in_redis(start_gateway, upstream, redis_server, new_key, change):
    settings = {"PROGRAMS_URL": upstream.url, "REDIS_URL": redis_server.url, "REPLICAS": "2"}
    replicas = [start_gateway(**settings), start_gateway(**settings)]
    key = new_key("developer")
    change("update api_keys set requests_per_minute = 6, burst = 4 where id = :id", id=key["id"])
    statuses = [replicas[turn % 2].ask("GET", CARDS, key=key["key"]).status for turn in range(6)]
    assert statuses == [200, 200, 200, 200, 429, 429]


def test_without_redis_calls_go_on(start_gateway, upstream, redis_server, new_key):
    gateway = start_gateway(PROGRAMS_URL=upstream.url, REDIS_URL=redis_server.url)
    key = new_key("business")["key"]
    assert gateway.ask("GET", CARDS, key=key).headers["x-ratelimit-remaining"] == "499"
    redis_server.stop()
    try:
        answers = [gateway.ask("GET", CARDS, key=key) for _ in range(3)]
    finally:
        redis_server.start()
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert len(gateway.lines(event="limits_local")) == 1
