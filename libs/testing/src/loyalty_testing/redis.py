"""Redis for tests: nothing is kept on disk, so a restart forgets."""

from __future__ import annotations

import os

import redis

from loyalty_testing.machine import find_or_install, find_program, private_folder
from loyalty_testing.runners import Process
from loyalty_testing.server import Server


class Redis(Server):
    variable = "TEST_REDIS_URL"
    address = "redis://:{password}@{host}:{port}/0"
    image = ("REDIS_IMAGE", "redis:8")
    inner_port = 6379
    container_command = ("redis-server", "--requirepass", "{password}", "--save", "")

    def answers(self) -> bool:
        with redis.Redis.from_url(self.url, socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    @classmethod
    def process(cls, port: int, password: str) -> Process:
        program = find_or_install(
            lambda: find_program("redis-server"), server="Redis", variable=cls.variable, package="redis-server"
        )
        folder = private_folder("redis")
        options = f"--bind 127.0.0.1 --port {port} --requirepass {password} --dir {folder} --save"
        return Process([str(program), *options.split(), ""], port=port, folder=folder, env={"PATH": os.environ["PATH"]})
