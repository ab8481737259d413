"""The yardstick: `vllm bench serve` on the same server, prompts and output lengths, fed continuously."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.workload import CONCURRENCY, SLOTS, Made
from tracemill.engine.resources import Resources
from tracemill.models.model import Model
from tracemill.models.server import command, vllm_cli
from tracemill.models.server.metrics import utilisation
from tracemill.models.server.process import Server


@dataclass(frozen=True)
class Bare:
    """Tokens per second and utilisation of the engine when nothing but vLLM's own client feeds it."""

    rate: float
    utilisation: float


def bare_engine(model: Model, work: Made, folder: Path) -> Bare:
    """Measure; each request ends after exactly the number of tokens that it had when it was distilled."""
    dataset = folder / "engine.jsonl"
    rows = zip(work.prompts, work.tokens, strict=True)
    dataset.write_text("".join(json.dumps({"prompt": p, "output_tokens": t}) + "\n" for p, t in rows))
    machine = Resources()
    with Server(model, machine, 0, folder / "engine.log") as server:
        server.start()
        _bench(server.url, model, machine, dataset, min(SLOTS, len(work.prompts)))  # first use compiles kernels
        before = server.gauges()
        said = _bench(server.url, model, machine, dataset, len(work.prompts))
        after = server.gauges()
    found = re.search(r"Output token throughput \(tok/s\):\s+([\d.]+)", said)
    if found is None or before is None or after is None:
        raise RuntimeError(f"vllm bench serve said no rate:\n{said[-2000:]}")
    return Bare(float(found[1]), utilisation(before, after, SLOTS))


def _bench(url: str, model: Model, machine: Resources, dataset: Path, prompts: int) -> str:
    python = command.vllm_python(machine)
    location = model.location(machine)
    words = [str(python), "-P", vllm_cli.__file__, "bench", "serve", "--backend", "openai-chat"]
    words += ["--base-url", url, "--endpoint", "/v1/chat/completions", "--model", location, "--tokenizer", location]
    words += ["--served-model-name", model.name, "--dataset-name", "custom", "--dataset-path", str(dataset)]
    words += ["--custom-output-len", "-1", "--skip-chat-template", "--disable-shuffle", "--ignore-eos"]
    words += ["--num-prompts", str(prompts), "--max-concurrency", str(CONCURRENCY), "--temperature", "1.0"]
    environment = command.environment(model, python, 0, machine.environment)
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RuntimeError(f"vllm bench serve failed:\n{ended.stderr[-2000:]}")
    return ended.stdout
