"""Redis for tests: nothing is kept on disk, so a restart forgets."""

from __future__ import annotations

import os
from typing import Self

import redis

from loyalty_common.testing.machine import find_or_install, find_program, free_port
from loyalty_common.testing.runners import Container, Process, private_folder
from loyalty_common.testing.server import Server


class Redis(Server):
    variable = "TEST_REDIS_URL"

    def answers(self) -> bool:
        client = redis.Redis.from_url(self.url, socket_timeout=1)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    @classmethod
    def in_container(cls) -> Self:
        port = free_port()
        runner = Container(os.environ.get("REDIS_IMAGE", "redis:7"), inner_port=6379, port=port)
        return cls(f"redis://{runner.host}:{port}/0", runner)

    @classmethod
    def as_process(cls) -> Self:
        program = find_or_install(
            lambda: find_program("redis-server"), server="Redis", variable=cls.variable, package="redis-server"
        )
        folder, port = private_folder("redis"), free_port()
        command = [str(program), "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)]
        return cls(f"redis://127.0.0.1:{port}/0", Process(command, folder=folder, env={"PATH": os.environ["PATH"]}))
