"""RabbitMQ for tests."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pika
from pika.exceptions import AMQPError

from loyalty_testing.machine import find_or_install, find_program, free_port, private_folder
from loyalty_testing.runners import Process
from loyalty_testing.server import Server

# The wrapper in /usr/sbin changes the user, which a private broker must not.
_DEBIAN = "/usr/lib/rabbitmq/bin"


class RabbitMQ(Server):
    variable = "TEST_RABBITMQ_URL"
    address = "amqp://loyalty:{password}@{host}:{port}/%2F"
    image = ("RABBITMQ_IMAGE", "rabbitmq:4")
    inner_port = 5672
    container_env = ("RABBITMQ_DEFAULT_USER=loyalty", "RABBITMQ_DEFAULT_PASS={password}")

    def close_connections(self) -> None:
        """What a broker does to its clients in a maintenance: every connection is closed, the broker stays."""
        self.runner.execute("rabbitmqctl", "close_all_connections", "by a test")

    def answers(self) -> bool:
        address = pika.URLParameters(self.url)
        try:
            # pika logs every refused connection in full: it is asked only once somebody listens.
            socket.create_connection((address.host, address.port), timeout=2).close()
            pika.BlockingConnection(address).close()
        except (AMQPError, OSError):
            return False
        return True

    @classmethod
    def process(cls, port: int, password: str) -> Process:
        program = find_or_install(
            lambda: find_program("rabbitmq-server", _DEBIAN),
            server="RabbitMQ",
            variable=cls.variable,
            package="rabbitmq-server",
        )
        folder = private_folder("rabbitmq")
        (folder / "plugins").write_text("[].\n")
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{port}\n"
            f"default_user = loyalty\ndefault_pass = {password}\n"
            "disk_free_limit.absolute = 50MB\n"
        )
        return _Broker(program, folder=folder, port=port)


class _Broker(Process):
    """The node and its name server, which would otherwise outlive it as a daemon."""

    def __init__(self, program: Path, *, folder: Path, port: int) -> None:
        env = {"PATH": f"{program.parent}:{os.environ['PATH']}", **_environment(folder, port)}
        super().__init__([str(program)], port=port, folder=folder, env=env)
        names = ["epmd", "-address", "127.0.0.1", "-port", env["ERL_EPMD_PORT"]]
        self._names = Process(names, port=int(env["ERL_EPMD_PORT"]), folder=folder, env=env)

    def start(self) -> None:
        self._names.start()
        super().start()

    def stop(self, with_signal: signal.Signals) -> None:
        super().stop(with_signal)
        self._names.stop(signal.SIGTERM)


def _environment(folder: Path, port: int) -> dict[str, str]:
    names, distribution = free_port(), free_port()
    return {
        "HOME": str(folder),  # where the cookie is made that lets rabbitmqctl in
        "LANG": "C.UTF-8",
        "RUNNING_UNDER_SYSTEMD": "1",  # no shell between us and the node, so that our signals reach it
        "ERL_EPMD_PORT": str(names),
        "RABBITMQ_NODENAME": f"loyalty-{port}@localhost",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
    }
