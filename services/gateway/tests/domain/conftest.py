"""What only the rules of the gateway need: a second view of Redis, beside the one that is tested."""

import pytest
import redis


@pytest.fixture(scope="session")
def redis_client(redis_server):
    with redis.Redis.from_url(redis_server.url) as client:
        yield client
