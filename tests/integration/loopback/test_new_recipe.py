"""From a file of problems and a key to a verified release in one command, at a server that refuses unknown fields."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from tracemill.cli import app
from tracemill.models.fake import FakeServer
from tracemill.models.fake_http import Served, on_socket
from tracemill.models.transport import Response

INCLUDE = Path(__file__).resolve().parents[3] / "include"
SECRET = "sk-planted-3f09d1c2"
OPENAI = {"model", "messages", "temperature", "top_p", "max_tokens", "max_completion_tokens", "stop", "seed"}


class Strict(FakeServer):
    """Refuses every request with a field that OpenAI does not document."""

    def _answer(self, path: str, body: dict[str, Any]) -> Response:
        unknown = sorted(body.keys() - OPENAI - {"stream_options"})
        if unknown:
            return Response(400, {}, {"error": {"message": f"Unrecognized request arguments: {unknown}"}})
        return super()._answer(path, body)


def say(prompt: str, _seed: int) -> str:
    """Adds the two numbers of a question, but for one that it gets wrong."""
    first, second = (int(word) for word in prompt.split() if word.isdigit())
    return f"<think>adding {first} and {second}</think>The answer is \\boxed{{{first + second + (first == 3)}}}."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MY_KEY", SECRET)
    rows = [{"q": f"What is {n} plus {n * n + 10} ?", "gold": str(n + n * n + 10)} for n in range(1, 21)]
    (tmp_path / "my sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def tracemill(*arguments: str, answers: Sequence[str] = ()) -> Result:
    """The command in this process: it needs a second where a new one needs five."""
    return CliRunner().invoke(app, list(arguments), input="\n".join(answers) + "\n")


def described(served: Served, *more: str) -> list[str]:
    options = ["--problems", "my sums.jsonl", "--api", served.url, "--model", "there-r1", "--key", "MY_KEY"]
    return ["new", "recipe", *options, "--profile", "openai", "--price", "1", "2", *more]


def test_one_command_makes_a_verified_release_and_writes_no_key_down(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(INCLUDE)}
    with on_socket(Strict(say=say)) as served:
        command = [sys.executable, "-m", "tracemill", *described(served, "--run")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
        paid = len(served.fake.generated)
    assert done.returncode == 0, done.stdout + done.stderr
    assert paid == 20
    released = folder / "my_sums.release"
    rows = [path for path in released.iterdir() if path.name.startswith("train.jsonl")]
    assert len(rows) == 1
    [manifest] = [json.loads(path.read_text()) for path in (folder / "my_sums.store" / "release").glob("*.json")]
    assert manifest["counts"]["kept"] == 19
    assert SECRET not in done.stdout + done.stderr
    assert not [path for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_a_trial_is_measured_and_the_whole_pays_only_for_the_rest(folder: Path) -> None:
    with on_socket(Strict(say=say)) as served:
        assumed = tracemill(*described(served))
        assert assumed.exit_code == 0, assumed.stderr
        root = ("my_sums.yaml", "--root", "my_sums.store")
        before = tracemill("run", *root, "--dry-run")
        assert not (folder / "my_sums.store").exists()
        trial = tracemill("run", *root, "--rows", "5")
        after = tracemill("run", *root, "--dry-run")
        assert len(served.fake.generated) == 5, trial.stdout + trial.stderr
        whole = tracemill("run", *root)
        assert len(served.fake.generated) == 20, whole.stderr
    assert "20 rows in 1 shards" in before.stdout
    assert "at most 20 requests to there-r1" in before.stdout
    assert "(assumed)" in before.stdout
    assert "76,000 out" in before.stdout
    assert "(measured on 5 rows)" in after.stdout
    assert "76,000 out" not in after.stdout


def test_it_asks_for_what_no_option_says_and_again_after_what_is_wrong(folder: Path) -> None:
    with on_socket(Strict(say=say)) as served:
        roles = ["reference_answr=gold", "reference_answer=gold", ""]
        model = ["no such provider", served.url, "m", "sk-0", "MY_KEY", "n"]
        done = tracemill("new", "recipe", answers=["gone.jsonl", "my sums.jsonl", *roles, *model])
    assert done.exit_code == 0, done.stdout + done.stderr
    told = " ".join(done.stdout.split())
    for wrong in ("no such file", "did you mean 'reference_answer'", "write its address", "looks like a key itself"):
        assert wrong in told
    written = yaml.safe_load((folder / "my_sums.yaml").read_text())
    assert written["sources"][0]["columns"] == {"prompt": "q", "reference_answer": "gold"}
    assert written["sources"][0]["path"] == "my sums.jsonl"
    assert written["steps"]["distill"]["teacher"]["model"]["api"]["key"] == "${MY_KEY}"


def test_a_part_of_the_problem_is_left_out_by_a_word_of_somebody_alone(folder: Path) -> None:
    rows = [{"q": "Compute the sum.", "given": f"{n} and 25", "gold": str(n + 25)} for n in range(3)]
    (folder / "my sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with on_socket(Strict(say=say)) as served:
        stopped = tracemill(*described(served, "--run"))
        assert stopped.exit_code == 1
        assert "given may be a part of the problem" in " ".join(stopped.stderr.split())
        assert not list(folder.glob("*.yaml"))
        whole = tracemill(*described(served, "--column", "after=given"))
        ignored = tracemill(*described(served, "--ignore", "given", "--to", "two.yaml"))
        answers = ["", "n", "after=given", "", served.url, "m", "MY_KEY", "n"]
        asked = tracemill("new", "recipe", "--problems", "my sums.jsonl", "--to", "three.yaml", answers=answers)
    assert (whole.exit_code, ignored.exit_code, asked.exit_code) == (0, 0, 0), asked.stdout + asked.stderr
    assert "Compute the sum.\n\n0 and 25" in whole.stdout
    for name in ("my_sums.yaml", "three.yaml"):
        assert yaml.safe_load((folder / name).read_text())["sources"][0]["columns"]["after"] == "given"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (("--key", "UNSET_KEY"), "UNSET_KEY is not set"),
        (("--api", "http://127.0.0.1:9"), "does not answer"),
    ],
    ids=["a variable that is not set", "an address that is silent"],
)
def test_what_would_stop_a_run_is_said_when_the_recipe_is_written(
    folder: Path, changed: tuple[str, str], says: str
) -> None:
    with on_socket(Strict(say=say)) as served:
        done = tracemill(*described(served, *changed))
    assert done.exit_code == 0, done.stderr
    assert says in " ".join(done.stdout.split())


def test_a_key_where_its_variables_name_belongs_is_refused_and_not_repeated(folder: Path) -> None:
    options = ["--problems", "my sums.jsonl", "--api", "openai", "--model", "m", "--key", SECRET]
    done = tracemill("new", "recipe", *options)
    assert done.exit_code == 1
    assert "looks like a key itself" in " ".join(done.stderr.split())
    assert SECRET not in done.stdout + done.stderr
    assert not list(folder.glob("*.yaml"))


def test_an_endpoint_that_takes_no_key_or_is_not_there_is_said_before_anything_is_made(folder: Path) -> None:
    with on_socket(Strict(say=say)) as served:
        assert tracemill(*described(served)).exit_code == 0
    done = tracemill("run", "my_sums.yaml", "--root", "store")
    assert done.exit_code == 1
    assert "does not answer" in " ".join(done.stderr.split())
    assert not (folder / "store" / "plan").exists()
