"""Sandboxes for the tests: namespaces always, Docker where an engine answers. What cannot run says why."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache

import pytest

from tracemill.sandbox.base import SandboxSettings

IMAGE = os.environ.get("TRACEMILL_SANDBOX_IMAGE", "tracemill-sandbox-test")


@cache
def docker_missing() -> str | None:
    """Return why Docker cannot be used here, or None once the test image is there."""
    import docker.errors

    import docker
    from tracemill.sandbox.backends.image import import_image

    try:
        client = docker.from_env(timeout=300)
        client.ping()
    except docker.errors.DockerException as error:
        return f"no Docker engine at DOCKER_HOST: {error}"
    try:
        client.images.get(IMAGE)
    except docker.errors.ImageNotFound:
        import_image(client, IMAGE, compiler=os.path.exists("/usr/bin/dpkg-query"))  # noqa: PTH110
    return None


def settings_for(backend: str) -> SandboxSettings:
    """Return the settings of a backend, or skip the test with the reason."""
    if backend == "docker" and (reason := docker_missing()):
        pytest.skip(reason)
    return SandboxSettings.model_validate({"kind": backend, "image": IMAGE, "workers": 2})


@pytest.fixture(params=[pytest.param("namespace"), pytest.param("docker", marks=pytest.mark.docker)])
def settings(request: pytest.FixtureRequest) -> SandboxSettings:
    return settings_for(request.param)


@pytest.fixture(scope="session")
def backend_settings() -> Callable[[str], SandboxSettings]:
    return settings_for
