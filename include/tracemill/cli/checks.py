"""Looks at this machine: what tracemill can do here, and for what it cannot, what to do. No secret is shown or sent."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from tracemill.engine.processors import processors
from tracemill.engine.resources import Resources
from tracemill.errors import TracemillError
from tracemill.local.demand import served_models
from tracemill.models.endpoints import fixed_endpoints
from tracemill.models.fits import gpu_memories
from tracemill.models.server.command import on_cpu, vllm_python
from tracemill.recipe import load_recipe
from tracemill.sandbox.base import SandboxSettings
from tracemill.sandbox.languages import Language, all_languages
from tracemill.sandbox.pool import open_sandbox

State = Literal["yes", "no", "broken"]
_GIB = 2**30
_MEMORY = 7.0  # GiB that `make demo` held at most, measured on two cores while one vLLM served and the next started
_DISK = 2.0  # GiB that the demo's store, Airflow's logs and its database stay below
_PATIENCE = 3  # seconds for a daemon or an address to say anything


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `needed`: the demo cannot run without it; `remedy` is "" where nothing is to do."""

    name: str
    state: State
    said: str
    remedy: str = ""
    needed: bool = False


def checks(machine: Resources) -> Iterator[Check]:
    """Everything about the machine itself, in the order in which a newcomer needs it; each within seconds."""
    looks: tuple[Callable[[Resources], Check], ...] = (_python, _memory, _disk, _airflow, _isolation, _docker)
    for look in looks:
        yield look(machine)
    yield from (_language(one) for one in all_languages().values() if one.native)
    yield _gpu(machine)
    yield _vllm(machine)
    yield _demo_models(machine)


def _python(machine: Resources) -> Check:
    version = platform.python_version()
    right = version.startswith("3.11.")
    return Check("Python", "yes" if right else "broken", version, "" if right else "install Python 3.11", needed=True)


def _memory(machine: Resources) -> Check:
    memory = psutil.virtual_memory()
    said = f"{memory.available / _GIB:.1f} of {memory.total / _GIB:.1f} GiB free, {processors()} processors"
    enough = memory.total / _GIB >= _MEMORY
    remedy = "" if enough else f"the demo needs {_MEMORY} GiB: give the machine or the container more"
    return Check("memory", "yes" if enough else "broken", said, remedy, needed=True)


def _disk(machine: Resources) -> Check:
    free = shutil.disk_usage(Path.cwd()).free / _GIB
    remedy = "" if free >= _DISK else f"the demo needs {_DISK:g} GiB: make room, or name another --root"
    return Check("disk", "broken" if remedy else "yes", f"{free:.1f} GiB free here", remedy, needed=True)


def _airflow(machine: Resources) -> Check:
    try:
        return Check("Airflow", "yes", importlib.metadata.version("apache-airflow"))
    except importlib.metadata.PackageNotFoundError:
        remedy = "pip install 'tracemill[airflow]', or use `tracemill run`, which needs none"
        return Check("Airflow", "no", "not installed", remedy)


def _isolation(machine: Resources) -> Check:
    """Open a sandbox and try to break out of it."""
    try:
        with open_sandbox(SandboxSettings(workers=1)) as sandbox:
            grade = sandbox.isolation
    except TracemillError as error:
        return Check("sandbox", "broken", "programs cannot be isolated here", str(error), needed=True)
    remedy = "run as root for control groups, which see shared memory, too" if "rlimits" in grade else ""
    return Check("sandbox", "yes", grade, remedy, needed=True)


def _docker(machine: Resources) -> Check:
    import docker.errors

    import docker

    image = SandboxSettings().image
    try:
        client = docker.from_env(timeout=_PATIENCE, environment=dict(machine.environment))
        version = client.version()["Version"]
        has = any(tag.split(":")[0] == image for one in client.images.list() for tag in one.tags)
    except docker.errors.DockerException:
        return Check("Docker", "no", "no engine answers", "only for the sandbox's kind docker and for a cluster")
    remedy = "" if has else f"for the sandbox's kind docker: docker build -t {image} docker/sandbox"
    return Check("Docker", "yes", f"{version}, {'with' if has else 'without'} image {image}", remedy)


def _language(language: Language) -> Check:
    """Whether the tools lie where the sandbox shows them; `tracemill sandbox check` runs programs with them."""
    missing = [tools[0] for tools in (language.compiler, language.runtime) if tools and not _first(tools, language)]
    if not missing:
        tool = _first(language.compiler or language.runtime, language)
        return Check(language.title, "yes", tool)
    remedy = f"apt-get install {' '.join(language.packages)}" if language.packages else "install its tools"
    return Check(language.title, "no", f"{missing[0]} is not there: its programs are unverifiable", remedy)


def _first(tools: tuple[str, ...], language: Language) -> str:
    """The first tool that lies on this machine, "" for none; a mount says where it lies outside of the sandbox."""
    for tool in tools:
        outside = [there + tool[len(here) :] for there, here in language.mounts() if tool.startswith(here)]
        for place in (tool, *outside):
            found = sorted(Path("/").glob(place.lstrip("/")))
            if found:
                return str(found[0])
    return ""


def _gpu(machine: Resources) -> Check:
    memories = gpu_memories(dict(machine.environment))
    if not memories:
        remedy = "large models: a machine with a GPU, or `api` in the recipe (a model behind a key)"
        return Check("GPU", "no", "nvidia-smi names none", remedy)
    return Check("GPU", "yes", f"{len(memories)} with {', '.join(f'{one / _GIB:.0f}' for one in memories)} GiB")


def _vllm(machine: Resources) -> Check:
    try:
        python = vllm_python(machine)
    except TracemillError as error:
        return Check("vLLM", "no", "no environment for it", str(error), needed=not _is_served(machine))
    found = sorted(python.parent.parent.glob("lib/python3*/site-packages/vllm*-*.dist-info"))
    if not found:
        remedy = "make vllm (with a GPU: make vllm VLLM_PACKAGE=vllm==0.32.0)"
        return Check("vLLM", "broken", f"{python} has no vLLM", remedy, needed=True)
    version = found[0].name.removesuffix(".dist-info").rpartition("-")[2]
    on = "processors" if on_cpu(python) else "GPUs"
    remedy = "make vllm VLLM_PACKAGE=vllm==0.32.0" if on_cpu(python) and gpu_memories(dict(machine.environment)) else ""
    return Check("vLLM", "yes", f"{version} for {on}", remedy, needed=True)


def _is_served(machine: Resources) -> bool:
    """Whether every model of the demo answers somewhere already."""
    try:
        return all(fixed_endpoints(name, machine.environment) for name in served_models(load_recipe("demo")))
    except TracemillError:
        return False  # what is amiss stands in a line of its own


def _demo_models(machine: Resources) -> Check:
    names = []
    try:
        recipe = load_recipe("demo")
        for served in served_models(recipe).values():
            names.append(served.model.name)
            served.model.location(recipe.located(machine))
    except TracemillError as error:
        remedy = "the demo's models lie in the repository's folder zoo: run it from a clone"
        return Check("demo's models", "no", str(error), remedy, needed=True)
    return Check("demo's models", "yes", ", ".join(names), needed=True)
