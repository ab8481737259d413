"""The Docker backend: warm containers without network, capabilities or a writable root, one worker in each.

The worker travels to the container as a zip over its standard input, so any image with a Python 3.11 will do and
the image never lags behind the library. When the supervisor dies the daemon closes that input, the worker ends, and the
daemon removes the container.
"""

import io
import json
import socket
import struct
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import docker.errors
import docker.types

import docker
from tracemill.sandbox.backends.slot import Slot, SlotLost, fresh_uid
from tracemill.sandbox.base import SandboxSettings, SandboxUnavailable

LABEL = "tracemill.sandbox"
_START_SECONDS = 120.0
_HEADER = struct.Struct(">BxxxI")
_STDOUT = 1
_STDERR = 2
_WORDS = 4000
_TASKS = 128
_STACK = (1 << 28, 1 << 30)
_BOOT = """
import os, sys
def take(count):
    data = b""
    while len(data) < count:
        chunk = os.read(0, count - len(data))
        if not chunk:
            sys.exit("the supervisor is gone")
        data += chunk
    return data
archive = os.memfd_create("worker")
view = take(int.from_bytes(take(8), "little"))
while view:
    view = view[os.write(archive, view):]
sys.path.append(f"/proc/self/fd/{archive}")
from worker.container import main
sys.path.pop()
main()
"""


@cache
def worker_archive() -> bytes:
    """Return the worker package as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted((Path(__file__).parents[1] / "worker").glob("*.py")):
            archive.writestr(zipfile.ZipInfo(f"worker/{path.name}"), path.read_bytes())
    return buffer.getvalue()


def docker_client(settings: SandboxSettings) -> Any:
    """Return a client of the engine at DOCKER_HOST that has the image; raises SandboxUnavailable."""
    try:
        client = docker.from_env(timeout=120)
        client.images.get(settings.image)
    except docker.errors.ImageNotFound:
        raise SandboxUnavailable(
            f"Docker has no image {settings.image!r}: build it with `docker build -t {settings.image} docker/sandbox`, "
            "or, where no registry can be reached, with `tracemill sandbox image`"
        ) from None
    except docker.errors.DockerException as error:
        raise SandboxUnavailable(
            f"no Docker engine answers ({error}): start one, point DOCKER_HOST at it, "
            "or set the sandbox's kind to namespace"
        ) from None
    return client


class ContainerSlot(Slot):
    """A worker as the only tenant of a container."""

    def __init__(self, client: Any, settings: SandboxSettings, role: str) -> None:
        self._api = client.api
        self._words = ""
        self._raw = bytearray()
        self._stopped = False
        config = {
            "namespaces": False,
            "site": [],
            "home": "",
            "preload": settings.preload,
            "optional": ["pytest"] if role == "tests" else [],
            "warm": settings.warm,
        }
        command = ["python3", "-s", "-B", "-P", "-c", _BOOT, json.dumps(config)]
        try:
            self._id = self._create(settings, command)
            wanted = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            self._attached = self._api.attach_socket(self._id, wanted)
            super().__init__(self._attached._sock)
            self._api.start(self._id)
        except docker.errors.DockerException as error:
            raise SandboxUnavailable(f"Docker cannot start a sandbox container: {error}") from None
        self._await_ready()

    def _create(self, settings: SandboxSettings, command: list[str]) -> str:
        host = self._api.create_host_config(
            network_mode="none",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            pids_limit=_TASKS,
            mem_limit=settings.memory_bytes,
            memswap_limit=settings.memory_bytes,
            ipc_mode="none",
            auto_remove=True,
            runtime=settings.runtime,
            tmpfs={"/tmp": "size=64m,nr_inodes=1k,mode=1777", "/build": "size=256m,nr_inodes=1k,mode=1777,exec"},
            log_config=docker.types.LogConfig(type="none"),
            ulimits=[docker.types.Ulimit(name="stack", soft=_STACK[0], hard=_STACK[1])],
        )
        uid = fresh_uid()
        environment = {"PYTHONHASHSEED": "0", "HOME": "/tmp", "LANG": "C.UTF-8", "TZ": "UTC", "MALLOC_ARENA_MAX": "1"}
        environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        created = self._api.create_container(
            settings.image,
            command,
            stdin_open=True,
            user=f"{uid}:{uid}",
            working_dir="/tmp",
            hostname="sandbox",
            environment=environment,
            labels={LABEL: "1"},
            host_config=host,
        )
        return str(created["Id"])

    def _await_ready(self) -> None:
        archive = worker_archive()
        try:
            self._stream.sendall(len(archive).to_bytes(8, "little") + archive)
            self.wait_for_message(_START_SECONDS)
        except (OSError, SlotLost) as error:
            words = self._words or str(error)
            self.stop()
            raise SandboxUnavailable(f"the sandbox container did not start its worker: {words[-500:]}") from None

    def payload(self, data: bytes) -> bytes:
        """Strip the engine's stream headers; keep the worker's standard error aside."""
        self._raw += data
        out = bytearray()
        at = 0
        while len(self._raw) - at >= _HEADER.size:
            stream, size = _HEADER.unpack_from(self._raw, at)
            end = at + _HEADER.size + size
            if len(self._raw) < end:
                break
            part = self._raw[at + _HEADER.size : end]
            if stream == _STDOUT:
                out += part
            elif stream == _STDERR:
                self._words = (self._words + part.decode("utf-8", "replace"))[-_WORDS:]
            at = end
        del self._raw[:at]
        return bytes(out)

    def last_words(self) -> str:
        return self._words.strip()

    def stop(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        try:
            self._stream.shutdown(socket.SHUT_RDWR)
        except OSError:
            self._words = self._words or "the stream was closed already"
        self._attached.close()
        try:
            self._api.remove_container(self._id, force=True)
        except (docker.errors.NotFound, docker.errors.APIError) as error:
            if error.status_code not in (404, 409):  # gone, or being removed at this moment
                raise


def grade(slot: Slot) -> str:
    """Return the grade of a started slot."""
    assert isinstance(slot, ContainerSlot)
    facts = slot._api.inspect_container(slot._id)
    runtime = facts["HostConfig"].get("Runtime") or "runc"
    return f"docker/{runtime}: no network, read-only root, no capabilities, seccomp, memory and tasks by cgroup"
