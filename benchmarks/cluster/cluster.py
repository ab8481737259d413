"""The services of docker-compose.yaml as containers of an engine without a registry.

Environment, volumes, users, limits, networks and security options are the file's. In the place of what a registry would
bring stand PostgreSQL and Redis from Debian's packages, moto as the S3 server, and the image of machine_image.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from benchmarks.cluster import compose, machine_image
from benchmarks.cluster.compose import Service
from benchmarks.cluster.engine import Engine, NoEngine, engine

PROJECT = "tracemill"
CLUSTER = (
    *("postgres", "redis", "objects", "init", "api-server", "scheduler", "dag-processor", "triggerer"),
    *("worker-cpu", "worker-sandbox"),
)
SECONDS = 600.0  # for all services to come up
_POSTGRES = """
set -e; export PATH={bins}:$PATH PGDATA=/var/lib/postgresql/data/of-the-package
user="setpriv --reuid postgres --regid postgres --clear-groups"
if ! [ -f $PGDATA/PG_VERSION ]; then
  install -d -o postgres -g postgres -m 700 $PGDATA
  install -m 600 -o postgres /dev/null /run/word; printf %s "$POSTGRES_PASSWORD" > /run/word
  $user initdb --encoding UTF8 --locale C.UTF-8 \\
    --username $POSTGRES_USER --pwfile /run/word --auth-local trust --auth-host scram-sha-256 >/dev/null
  echo "host all all all scram-sha-256" >> $PGDATA/pg_hba.conf
  echo "CREATE DATABASE $POSTGRES_DB;" | $user postgres --single postgres >/dev/null
fi
exec $user postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c fsync=off
"""
_REDIS = ("--protected-mode", "no", "--bind", "0.0.0.0", "--dir", "/data")
_MOTO = ("-m", "moto.server", "-H", "0.0.0.0", "-p", "8333")
_ANSWERS = ("--health-cmd", "bash -c '</dev/tcp/127.0.0.1/8333'", "--health-interval", "2s", "--health-retries", "60")


class NotUp(RuntimeError):
    """A service did not come up; the text has the last of its log."""


class Cluster:
    """Containers of one engine, named by their services."""

    def __init__(self, engine: Engine, environment: Mapping[str, str], extra: Iterable[str] = ()) -> None:
        """`environment` fills the file in; `extra` are options for every container of the project's image."""
        self.engine, self.extra = engine, list(extra)
        self.services = compose.services(environment)

    def up(self, names: Iterable[str] = CLUSTER) -> None:
        """Start services, each when what it depends on is well. Raises NotUp."""
        end, waiting = time.monotonic() + SECONDS, list(names)
        for name in waiting:
            self._create(self.services[name])
        while waiting:
            states = self.states()
            for name in [name for name in waiting if self._may_start(self.services[name], states)]:
                self.engine.run("start", self.container(name))
                waiting.remove(name)
            if time.monotonic() > end:
                raise NotUp(f"{waiting} could not start: {states}")
            time.sleep(1)

    def container(self, name: str) -> str:
        """The name of a service's container."""
        return f"{PROJECT}-{name}"

    def execute(self, name: str, *words: str, check: bool = True) -> str:
        """Run a command in a service's container, as its user; returns its output."""
        return self.engine.run("exec", self.container(name), *words, check=check)

    def one_off(self, name: str, *words: str, options: Iterable[str] = ()) -> str:
        """`docker compose run --rm NAME ...`: a container of a service for one command; returns its output."""
        service = self.services[name]
        self._create(service, [*options], words)
        self._start_and_wait(name)
        output = self.engine.run("logs", self.container(name))
        code = self.engine.run("inspect", "--format", "{{.State.ExitCode}}", self.container(name))
        self.engine.run("rm", self.container(name))
        if code != "0":
            raise NotUp(f"{name} {' '.join(words)} ended with {code}: {output[-2000:]}")
        return output

    def await_worker(self, name: str, seconds: float = 180) -> None:
        """Wait until a worker answers its own health check. Raises NotUp."""
        end = time.monotonic() + seconds
        while "pong" not in self.execute(name, "sh", "-c", _PING, check=False):
            if time.monotonic() > end:
                raise NotUp(f"{name}: {self.log(name)}")
            time.sleep(2)

    def states(self) -> dict[str, str]:
        """The state of every service's container, with its health where it has a check."""
        names = self.engine.run("ps", "--all", "--format", "{{.Names}}").split()
        found = json.loads(self.engine.run("inspect", *names)) if names else []
        return {one["Name"].removeprefix(f"/{PROJECT}-"): _state(one["State"]) for one in found}

    def log(self, name: str, lines: int = 60) -> str:
        """The last lines of a service's log."""
        return self.engine.run("logs", "--tail", str(lines), self.container(name), check=False)

    def _may_start(self, service: Service, states: Mapping[str, str]) -> bool:
        wanted = service.settings.get("depends_on", {})
        return all(self._meets(name, states[name], need["condition"]) for name, need in wanted.items())

    def _meets(self, name: str, state: str, condition: str) -> bool:
        """Whether a service is as another needs it. An unhealthy one may only be slow: it is waited for."""
        done = condition == "service_completed_successfully"
        if state.startswith("exited") and not (done and state == "exited 0"):
            raise NotUp(f"{name} is {state}: {self.log(name)}")
        return state == ("exited 0" if done else "running healthy")

    def _start_and_wait(self, name: str) -> None:
        self.engine.run("start", self.container(name))
        self.engine.run("wait", self.container(name))

    def _create(self, service: Service, options: Iterable[str] = (), command: Iterable[str] = ()) -> None:
        """Create a container in the service's networks, under the service's name there."""
        first, *others = service.settings["networks"]
        image, stand_in, words = self._image(service, list(command))
        placed = ("--network", _network(first), "--network-alias", service.name)
        self.engine.run("create", *service.options(PROJECT), *stand_in, *placed, *options, *image, *words)
        for network in others:
            self.engine.run(
                "network", "connect", "--alias", service.name, _network(network), self.container(service.name)
            )

    def _image(self, service: Service, command: list[str]) -> tuple[list[str], list[str], list[str]]:
        """Image, options and command of a service; the three that are not ours are stood in for."""
        ours = [*machine_image.stand_in(), *self.extra]
        if service.name == "postgres":
            bins = machine_image.postgres()
            return [machine_image.BASE], ["--env", f"PATH={bins}:/usr/bin"], ["bash", "-c", _POSTGRES.format(bins=bins)]
        if service.name == "redis":
            return [machine_image.BASE], [], [*service.words("command"), *_REDIS]
        if service.name == "objects":
            return [machine_image.IMAGE], [*ours, "--entrypoint", "python", *_ANSWERS], list(_MOTO)
        entry = service.words("entrypoint")
        start = ["--entrypoint", entry[0]] if entry else []
        return [service.settings["image"], *entry[1:]], [*ours, *start], command or service.words("command")


def _state(found: Mapping[str, Any]) -> str:
    health = found.get("Health", {}).get("Status", "")
    return f"exited {found['ExitCode']}" if found["Status"] == "exited" else f"{found['Status']} {health}".strip()


def _network(name: str) -> str:
    return f"{PROJECT}-{name}"


_PING = "python -m tracemill_airflow.health worker && echo pong"


@contextmanager
def machinery() -> Iterator[Engine]:
    """An engine with the images and the networks of the file. Raises NoEngine where none can be started."""
    absent = machine_image.missing()
    if absent:
        raise NoEngine(f"not installed: {', '.join(absent)}")
    with engine() as found:
        machine_image.import_base(found.docker)
        _require_containers(found)
        machine_image.build(found.docker)
        for name, internal in compose.networks().items():
            found.run("network", "create", *(["--internal"] if internal else []), _network(name))
        yield found


def _require_containers(found: Engine) -> None:
    """Raises NoEngine where the engine runs, but no container does: it may be shut in itself."""
    try:
        found.run("run", "--rm", "--network", "none", "--memory", "64m", machine_image.BASE, "true")
    except RuntimeError as error:
        raise NoEngine(f"containers do not start here: {error}") from None
