"""One model server as a child of this process: started, watched, and ended with everything that belongs to it."""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import httpx

from tracemill.engine.resources import Resources
from tracemill.errors import RecipeError, TracemillError
from tracemill.models.fits import require_fit
from tracemill.models.model import Model
from tracemill.models.server.command import (
    HOST,
    LOOPBACK,
    command,
    environment,
    free_port,
    on_cpu,
    reachable_name,
    vllm_python,
)
from tracemill.models.server.failures import explained
from tracemill.models.server.guard import descendants, end
from tracemill.models.server.metrics import Gauges, parse_metrics

# Engine and worker wait for each other in busy loops, so without a GPU they hold two cores all the time. Where there
# are no more, clients that needed 3 % of a core waited 60 ms for each turn, and up to half of the slots stayed empty.
ENGINE_NICENESS = 5
_LOG_TAIL = 200_000  # bytes of a server's log that are searched for what went wrong
SAY_EVERY = 15.0  # seconds between two words about a server that loads
_log = logging.getLogger(__name__)
progress = logging.getLogger("tracemill.progress")


class Server:
    """`vllm serve` for one replica. `stop` (also at the end of `with`) leaves no process behind.

    `log` is the file of the server's own output. `others` are the models that share it (see models/sharing.py).
    """

    def __init__(
        self, model: Model, resources: Resources, replica: int, log: Path, others: Sequence[Model] = ()
    ) -> None:
        self.model = model
        self.log = log
        host = resources.environment.get(HOST, LOOPBACK)
        python = vllm_python(resources)
        port = free_port(host, model.serve.port)
        require_fit(model, resources)
        self._yields = on_cpu(python)
        self.url = f"http://{reachable_name(host)}:{port}"
        self._command = command(model, python, resources, host, port, others)
        self._environment = environment(model, python, replica, resources.environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(base_url=f"http://{_local(host)}:{port}", timeout=10, trust_env=False)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process that stands for the whole server."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start the server and wait until it is healthy. Raises RecipeError or ServingError with what went wrong."""
        began = time.monotonic()
        progress.info("starting the server of model %s", self.model.name)
        _log.info("starting: %s (log: %s)", " ".join(self._command[4:]), self.log)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        said = began
        while not self.healthy():
            self.check()
            taken = time.monotonic() - began
            if time.monotonic() - said >= SAY_EVERY:
                said = time.monotonic()
                progress.info("model %s is loading for %.0f s: %s", self.model.name, taken, self._last_line())
            if taken > self.model.serve.start_timeout:
                raise self._failure(f"was not healthy after {taken:.0f} s")
            time.sleep(0.5)
        if self._yields:
            give_way(list(descendants(self.pid))[1:])  # all but the API server, which clients wait for
        progress.info("model %s answers at %s after %.0f s", self.model.name, self.url, time.monotonic() - began)

    def check(self) -> None:
        """Raise what the server's log says if the server has ended."""
        code = self._process.poll() if self._process else None
        if code is not None:
            raise self._failure(f"ended with code {code}")

    def healthy(self) -> bool:
        """Whether the server says that its engine works."""
        try:
            return self._http.get("/health").status_code == 200
        except httpx.TransportError:
            return False

    def gauges(self) -> Gauges | None:
        """What the server says about its load; None when it does not answer, or not readably, just now."""
        try:
            return parse_metrics(self._http.get("/metrics").raise_for_status().text)
        except (httpx.HTTPError, ValueError):
            return None

    def version(self) -> str:
        """The version of vLLM, "" when it does not say. Raises RecipeError when the recipe names another one."""
        try:
            found = str(self._http.get("/version").raise_for_status().json()["version"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            found = ""
        wanted = self.model.engine.version
        if wanted and found != wanted:
            raise RecipeError(
                f"model {self.model.name!r} is to be served by vLLM {wanted} (engine.version), and this one is "
                f"{found or 'of an unknown version'}: install that version, or change engine.version (its answers are "
                "then other samples)"
            )
        return found

    def stop(self) -> None:
        """End the server and whatever it started. Safe to call at any time, also from a signal handler."""
        if self._process is not None:
            end(self._process)

    def _last_line(self) -> str:
        """What the server said last, for those who wait."""
        lines = [line for line in self._tail().splitlines() if line.strip()]
        return lines[-1].strip()[:160] if lines else "it has said nothing yet"

    def _tail(self) -> str:
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - _LOG_TAIL))
            return log.read().decode(errors="replace")

    def _failure(self, what: str) -> TracemillError:
        return explained(self.model, self._tail(), what)


def give_way(pids: Iterable[int]) -> None:
    """Let every other process go before these ones, as Linux keeps niceness: by thread, and by session where there are
    automatic groups of sessions (they hide a thread's niceness from other sessions).
    """
    for pid in pids:
        threads = Path(f"/proc/{pid}/task")
        session = Path(f"/proc/{pid}/autogroup")
        try:
            for thread in threads.iterdir():
                own = os.getpriority(os.PRIO_PROCESS, int(thread.name))  # only root may take niceness away again
                os.setpriority(os.PRIO_PROCESS, int(thread.name), max(own, ENGINE_NICENESS))
            if session.exists():
                session.write_text(str(ENGINE_NICENESS))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        except BlockingIOError:
            continue  # the same session was set a moment ago: Linux takes one change in a tenth of a second
        except OSError as error:
            _log.warning("process %d keeps its priority, so clients may wait for their turns: %s", pid, error)


def _local(host: str) -> str:
    """The address by which this machine reaches a server that listens on `host`."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{local}]" if ":" in local else local
