"""What docker-compose.yaml and the Dockerfiles promise, read from the files: no engine is needed for it."""

from __future__ import annotations

import re
import shutil
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cluster.compose import FILE, PROJECT, Service, filled, networks, services
from tests.build.secrets import SECRET_VALUES, SECRETS

PINNED = re.compile(r"^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$")
FOUND = services(SECRET_VALUES)
WORKERS = [name for name, service in FOUND.items() if service.queues]
LASTING = [name for name, service in FOUND.items() if service.settings.get("restart") != "no"]


def built() -> dict[str, list[str]]:
    """Image → the services that build it."""
    made: dict[str, list[str]] = {}
    for name, service in FOUND.items():
        if "build" in service.settings:
            made.setdefault(service.settings["image"], []).append(name)
    return made


def test_every_image_is_pinned_by_tag_and_digest_or_built_here_once() -> None:
    named = {service.settings["image"] for service in FOUND.values()}
    assert {image for image in named if not PINNED.match(image)} == built().keys()
    assert all(len(builders) == 1 for builders in built().values()), built()


def test_no_image_that_is_built_here_is_looked_for_in_a_registry() -> None:
    """Trap: Compose pulls a missing image before it builds it, from whoever has the name there, and runs it."""
    ours = {name: service.settings for name, service in FOUND.items() if service.settings["image"] in built()}
    assert {"init", "cli", "scheduler", "worker-cpu", "worker-gpu"} <= ours.keys()
    assert {settings.get("pull_policy") for settings in ours.values()} == {"never"}


@pytest.mark.parametrize("file", sorted((PROJECT / "docker").glob("*/Dockerfile")), ids=lambda file: file.parent.name)
def test_what_a_dockerfile_starts_from_is_pinned_or_built_here(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)$", text, re.M))
    for base in re.findall(r"^FROM (\S+)", text, re.M):
        image = re.sub(r"\$\{(\w+)\}", lambda match: arguments[match.group(1)], base)
        assert PINNED.match(image) or image in built(), image


@pytest.mark.parametrize("name", WORKERS)
def test_no_worker_holds_a_secret(name: str) -> None:
    settings = str(FOUND[name].settings)
    assert [secret for secret, value in SECRET_VALUES.items() if value in settings] == []


def test_the_worker_of_untrusted_programs_has_no_way_to_the_database_the_data_or_the_internet() -> None:
    (name,) = (name for name in WORKERS if "sandbox" in FOUND[name].queues)
    worker = FOUND[name]
    assert worker.queues == ("sandbox",)
    assert set(worker.settings["networks"]).isdisjoint(FOUND["postgres"].settings["networks"])
    assert all(networks()[network] for network in worker.settings["networks"])
    assert [volume.split(":")[1] for volume in worker.settings["volumes"]] == ["/opt/airflow/logs", "/recipes"]
    assert worker.settings["cap_drop"] == ["ALL"]
    assert "HF_TOKEN" not in worker.environment
    assert {name for name in WORKERS if "HF_TOKEN" in FOUND[name].environment} == {"worker-cpu", "worker-gpu"}


def test_it_may_make_namespaces_and_mount_proc_and_the_error_elsewhere_names_the_same_options() -> None:
    from tracemill.sandbox.backends import namespace

    needed = {option for option in FOUND["worker-sandbox"].settings["security_opt"] if option.endswith("=unconfined")}
    assert needed == {"seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"}
    assert [option for option in needed if option not in namespace._REMEDY] == []
    others = [name for name in FOUND if name != "worker-sandbox" and "security_opt" in FOUND[name].settings]
    assert others == []


def test_every_folder_that_shipped_recipes_name_lies_below_the_one_that_is_mounted() -> None:
    """Trap: a recipe of the papers asked for a variable that no file of the cluster could set."""
    from tracemill.engine.resources import SHIPPED

    asked = {name for file in SHIPPED.glob("*.yaml") for name in re.findall(r"\$\{(\w+)\}", file.read_text())}
    environment = FOUND["worker-cpu"].environment
    assert {name: environment.get(name, "").split("/")[1:2] for name in asked} == {name: ["data"] for name in asked}


def test_the_first_recipe_needs_no_model_no_file_and_no_graph_of_its_own() -> None:
    from tracemill.local.demand import served_models
    from tracemill.recipe import load_recipe

    blocks = re.findall(r"```yaml\n(.*?)```", (PROJECT / "README.md").read_text(encoding="utf-8"), re.S)
    (text,) = (block for block in blocks if "name: first\n" in block)
    recipe = load_recipe(text)
    assert served_models(recipe) == {}
    assert "$" not in text
    assert {source.kind for source in recipe.sources} == {"demo"}
    assert set(recipe.pipeline()) <= set(load_recipe("demo").pipeline())


def test_secrets_have_no_defaults_and_the_example_names_them_all() -> None:
    text = FILE.read_text(encoding="utf-8")
    lax = re.findall(rf"\$\{{(?:{'|'.join(SECRETS)})(?!:\?)", text)
    assert lax == []
    example = dict(re.findall(r"^(\w+)=(.*)$", (PROJECT / ".env.example").read_text(encoding="utf-8"), re.M))
    required = set(re.findall(r"\$\{(\w+):\?", text))
    assert required == set(SECRETS)
    assert {name: example.get(name) for name in required} == dict.fromkeys(required, "")


def test_every_value_that_the_file_reads_stands_in_the_example() -> None:
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    read = set(re.findall(r"\$\{(\w+)", FILE.read_text(encoding="utf-8")))
    assert read == set(re.findall(r"^#?([A-Z_]+)=", example, re.M))


def test_an_unfilled_secret_is_refused() -> None:
    with pytest.raises(KeyError, match=r"see \.env\.example"):
        services({})


@pytest.mark.parametrize("name", LASTING)
def test_what_runs_for_long_is_watched_bounded_and_told_to_leave_in_time(name: str) -> None:
    settings = FOUND[name].settings
    assert settings["restart"] == "unless-stopped"
    assert settings["logging"]["options"] == {"max-size": "20m", "max-file": "5"}
    assert settings["healthcheck"]["test"][0] == "CMD"
    assert "memory" in settings["deploy"]["resources"]["limits"]
    assert "stop_grace_period" in settings


@pytest.mark.parametrize("name", ["postgres", "redis", "objects"])
def test_what_must_outlive_a_container_lies_in_a_volume(name: str) -> None:
    (volume,) = FOUND[name].settings["volumes"]
    assert not volume.startswith((".", "/"))


def test_a_lost_worker_is_noticed_within_a_minute() -> None:
    environment = FOUND["scheduler"].environment
    timeout = int(environment["AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"])
    look = int(environment["AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL"])
    beat = int(environment["AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL"])
    assert timeout + 2 * look <= 60
    assert timeout >= 30 * beat, "a worker under load misses beats: that is no loss"
    assert FOUND["worker-cpu"].environment["AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"] == str(timeout)


@pytest.fixture
def of_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow reads its settings as the file's scheduler does, and forgets afterwards which executors those were."""
    from airflow.executors import executor_loader

    for name, value in FOUND["scheduler"].environment.items():
        monkeypatch.setenv(name, value)
    for known in [name for name in vars(executor_loader) if name.endswith(("_per_team", "_executors", "_names"))]:
        monkeypatch.setattr(executor_loader, known, deepcopy(getattr(executor_loader, known)))


def test_a_task_waits_for_a_free_worker_as_long_as_it_takes(of_scheduler: None) -> None:
    """Trap: Airflow fails what stands in a queue for three times ten minutes, as all do behind two long tasks."""
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

    scheduler = SchedulerJobRunner(Job())
    days = scheduler._task_queued_timeout * scheduler._num_stuck_queued_retries / 86_400
    assert days > 365
    assert scheduler._task_queued_timeout <= 1800, "a task that a dying worker had just taken waits for so long"


def test_what_waits_is_handed_in_anew_before_many_find_its_token_too_old(of_scheduler: None) -> None:
    """The token's time is the queue's; between its end and the look that hands the task in anew it costs a try."""
    from airflow.configuration import conf

    look = conf.getfloat("scheduler", "task_queued_timeout_check_interval")
    assert look / conf.getfloat("scheduler", "task_queued_timeout") < 0.01


def test_a_task_that_runs_for_days_is_not_handed_to_a_second_worker(of_scheduler: None) -> None:
    """Trap: what runs for longer than Redis waits for its acknowledgement is delivered again, and so ended."""
    from airflow.configuration import conf
    from airflow.providers.celery.executors.default_celery import get_default_celery_config

    waits = get_default_celery_config(conf)["broker_transport_options"]["visibility_timeout"]
    assert isinstance(waits, int)
    assert waits >= 14 * 86_400


def test_nothing_is_published_beyond_this_machine() -> None:
    ports = [port for service in FOUND.values() for port in service.settings.get("ports", ())]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_of_the_object_store_others_reach_only_what_asks_for_a_key() -> None:
    """Trap: with the filer's port one reads, changes and removes every shard without one."""
    words = FOUND["objects"].words("command")
    assert {word for word in words if "ip" in word} == {"-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3.ip.bind=0.0.0.0"}


def test_the_builder_is_sent_no_secret_and_no_environment() -> None:
    allowed = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in allowed
    sent = [line[1:] for line in allowed if line.startswith("!")]
    files = [file for file in PROJECT.glob("docker/*/Dockerfile") if file.parent.name != "sandbox"]
    copied = {word for file in files for word in _copied(file)}
    assert [word for word in copied if not any(word == one or word.startswith(f"{one}/") for one in sent)] == []
    assert [word for word in sent if word.startswith((".env", ".venv", "var", "tests"))] == []


@pytest.mark.parametrize(
    ("text", "environment", "value"),
    [
        pytest.param("${A:-b}", {}, "b", id="default"),
        pytest.param("${A:-b}", {"A": "c"}, "c", id="given"),
        pytest.param("${A:-b}", {"A": ""}, "b", id="empty is unset"),
        pytest.param("x$$A", {"A": "c"}, "x$A", id="escaped"),
        pytest.param("${A}-${B}", {"A": "1"}, "1-", id="unset is empty"),
    ],
)
def test_variables_are_filled_in_as_compose_does(text: str, environment: dict[str, str], value: str) -> None:
    assert filled({"k": [text]}, environment) == {"k": [value]}


def test_a_service_becomes_options_of_docker() -> None:
    settings: dict[str, Any] = {
        "environment": {"A": "b"},
        "volumes": ["logs:/l", "./var:/v:ro"],
        "healthcheck": {"test": ["CMD", "x", "y z"], "start_period": "5s"},
        "deploy": {"resources": {"limits": {"cpus": "0", "memory": "1g"}}},
    }
    options = Service("one", settings).options("p")
    assert options[options.index("--health-cmd") + 1] == "x 'y z'"
    assert {"p-one", "A=b", "p-logs:/l", f"{PROJECT}/var:/v:ro", "--health-start-period=5s", "1g"} <= set(options)
    assert "--cpus" not in options


def _copied(file: Path) -> list[str]:
    lines = re.findall(r"^COPY (.+)$", file.read_text(encoding="utf-8"), re.M)
    return [word for line in lines for word in line.split()[:-1]]


def test_the_images_hold_no_tool_of_the_tests() -> None:
    locked = {
        file: set(re.findall(r"^([a-z0-9._-]+)==", (PROJECT / file).read_text(encoding="utf-8"), re.M))
        for file in ("constraints.txt", "constraints-dev.txt")
    }
    assert locked["constraints.txt"].isdisjoint(locked["constraints-dev.txt"])
    tools = {"hypothesis", "moto", "mypy", "pandas-stubs", "pytest-timeout", "pytest-xdist", "ruff", "types-pyyaml"}
    assert tools <= locked["constraints-dev.txt"]
    assert "constraints-dev" not in (PROJECT / "docker/airflow/Dockerfile").read_text(encoding="utf-8")


def test_the_image_that_has_the_gpus_serves_and_trains() -> None:
    """Trap: a training is a task of the queue `gpu`, too, and finds no environment there."""
    (worker,) = (service for service in FOUND.values() if "gpu" in service.queues)
    text = (PROJECT / worker.settings["build"]["dockerfile"]).read_text(encoding="utf-8")
    for variable, lock in (("VLLM", "constraints-vllm-gpu.txt"), ("TRAIN", "constraints-train.txt")):
        python = re.search(rf"TRACEMILL_{variable}_PYTHON=(\S+)/bin/python", text)
        assert python is not None
        assert f"-m venv {python[1]}" in text
        assert f"--require-hashes -r {lock}" in text


def test_every_locked_package_of_a_dockerfile_is_pinned() -> None:
    own = ("constraints-vllm.txt", "constraints-vllm-gpu.txt", "constraints-train.txt")
    for file in ("constraints.txt", *own, "docker/sandbox/requirements.txt"):
        lines = re.findall(r"^[A-Za-z0-9][^#\n]*", (PROJECT / file).read_text(encoding="utf-8"), re.M)
        assert lines
        assert [line for line in lines if "==" not in line] == []


def test_compose_itself_reads_the_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("Docker's plugin compose is not installed")
    (tmp_path / "env").write_text("".join(f"{name}={value}\n" for name, value in SECRET_VALUES.items()))
    command = [docker, "compose", "--file", str(FILE), "--env-file", str(tmp_path / "env"), "--profile", "*"]
    done = subprocess.run([*command, "config", "--quiet"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
