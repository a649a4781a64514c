"""The servers that every other test stands on are real, and do what the tests of faults ask of them."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pika
import psycopg
import pytest
import redis
from pika.exceptions import AMQPError

from loyalty_testing.runners import Process


def test_a_database_survives_a_crash_of_postgresql(postgres):
    url = postgres.create_database("tills")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE purchases AS SELECT 24.50 AS amount")

    postgres.stop("immediate")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    postgres.start()

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM purchases").fetchone() == (1,)


def test_two_databases_of_one_name_are_two_databases(postgres):
    assert postgres.create_database("programs") != postgres.create_database("programs")


def test_postgresql_has_room_for_all_services_and_keeps_whole_pages(postgres):
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SHOW max_connections").fetchone() == ("500",)
        assert connection.execute("SHOW full_page_writes").fetchone() == ("on",)


def test_a_broker_in_maintenance_closes_connections_and_takes_new_ones(rabbitmq):
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq.url))
    rabbitmq.close_connections()
    with pytest.raises(AMQPError):
        connection.process_data_events(time_limit=5)

    pika.BlockingConnection(pika.URLParameters(rabbitmq.url)).close()


def test_a_durable_queue_outlives_a_restart_of_the_broker(rabbitmq):
    with pika.BlockingConnection(pika.URLParameters(rabbitmq.url)) as connection:
        connection.channel().queue_declare("receipts", durable=True)

    rabbitmq.restart()

    with pika.BlockingConnection(pika.URLParameters(rabbitmq.url)) as connection:
        connection.channel().queue_delete("receipts")


def test_a_server_outlives_the_thread_that_restarted_it(redis_server):
    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(redis_server.restart).result()

    with redis.Redis.from_url(redis_server.url) as client:
        assert client.blpop("nothing", timeout=1) is None


def test_redis_comes_back_empty_at_the_same_address(redis_server):
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("limit", 1)
        redis_server.restart()
        assert client.get("limit") is None


def test_private_servers_listen_on_loopback_only(postgres, rabbitmq, redis_server):
    private = [server for server in (postgres, rabbitmq, redis_server) if isinstance(server.runner, Process)]

    assert {urlsplit(server.url).hostname for server in private} <= {"127.0.0.1"}
