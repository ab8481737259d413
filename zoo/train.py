"""Trains one model of the zoo on the CPU and writes it to `zoo/models/NAME`.

    nice -n 15 python -m zoo.train teacher-large

Weights are exported every five minutes and on SIGTERM, together with the full state (`--state`), so an interrupted
training goes on where it stopped; `--fresh` starts again.
"""

from __future__ import annotations

import json
import math
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import torch.nn.functional as F  # noqa: N812
import typer
from safetensors.torch import load_file
from tokenizers import AddedToken
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from zoo.export import save
from zoo.models import ROOT, SPECS, VOCABULARY, Spec
from zoo.network import Network, native_dtype
from zoo.optimisation import Masters, schedule
from zoo.packing import IGNORED, Batch, batches
from zoo.samples import corpus, stream
from zoo.vocabulary import build, fast, fixed

SAVE_SECONDS = 300.0
CORPUS = (20_000, 5)
TOKENIZER = ROOT / "tokenizer"
Forward = Callable[[Tensor, Tensor], Tensor]


@dataclass(slots=True)
class Progress:
    """What training has consumed: steps, tokens, seconds of CPU time."""

    spec: Spec
    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    stopped: bool = False

    def stop(self, *_: object) -> None:
        """Ask for an end after the current step (a signal handler)."""
        self.stopped = True

    def share(self) -> float:
        """How much of the budget is used, by tokens or by CPU time, whichever is more."""
        return min(1.0, max(self.tokens / self.spec.tokens, self.seconds / 60 / self.spec.minutes))


def tokenizer() -> PreTrainedTokenizerFast:
    """The zoo's tokenizer, trained on first use; fixed paragraphs that came later are added at its end.

    Raises RuntimeError when it outgrew the models' vocabulary.
    """
    if not (TOKENIZER / "tokenizer.json").exists():
        fast(build(corpus(*CORPUS))).save_pretrained(TOKENIZER)
    loaded = PreTrainedTokenizerFast.from_pretrained(TOKENIZER)
    if later := [text for text in fixed() if text not in loaded.get_vocab()]:  # a prompt that came after the training
        loaded.add_tokens([AddedToken(text, special=False, normalized=False) for text in later])
        loaded.save_pretrained(TOKENIZER)
    if len(loaded) > VOCABULARY:
        raise RuntimeError(f"the tokenizer has {len(loaded)} entries, the models have {VOCABULARY}")
    return loaded


def inherit(network: Network, folder: Path) -> None:
    """Load the decoder of an exported model; raises RuntimeError when its shape is another."""
    weights = load_file(folder / "model.safetensors")
    decoder = {name.removeprefix("model."): w.float() for name, w in weights.items() if name.startswith("model.")}
    network.model.load_state_dict(decoder)


def loss_of(forward: Forward, batch: Batch) -> Tensor:
    """Mean cross-entropy of the reply tokens, or mean squared error of the scores at each sample's last token."""
    output = forward(batch.ids, batch.documents)
    if batch.scores.numel():
        return F.mse_loss(output.flatten(0, 1)[batch.ends].float(), batch.scores)
    return F.cross_entropy(output.flatten(0, 1).float(), batch.targets.flatten(), ignore_index=IGNORED)


def train(spec: Spec, state: Path, resume: bool, report: Callable[[str], None]) -> None:
    """Train `spec` to the end of its budget, exporting as it goes."""
    torch.manual_seed(spec.seed)
    words = tokenizer()
    network = Network(spec.shape)
    if spec.parent is not None:
        inherit(network, ROOT / spec.parent)
    network.to(native_dtype())
    masters = Masters(network, spec.muon_rate, spec.adam_rate)
    progress = Progress(spec)
    signal.signal(signal.SIGTERM, progress.stop)
    if resume and state.exists():
        _restore(torch.load(state, weights_only=True), masters, progress)
        report(f"resumed at step {progress.steps}")
    forward: Forward = torch.compile(network, dynamic=False)
    # A resumed run draws new samples: the stream's seed holds the step it starts from.
    samples = stream(spec.role, words, spec.seed + 1_000_003 * progress.steps, progress.share)
    mean, saved = float("nan"), time.monotonic()
    for batch in batches(samples, spec.rows, spec.length):
        began = time.process_time()
        loss = loss_of(forward, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        masters.step(schedule(progress.share()))
        progress.steps += 1
        progress.tokens += batch.tokens
        progress.seconds += time.process_time() - began
        mean = loss.item() if math.isnan(mean) else 0.98 * mean + 0.02 * loss.item()
        if progress.steps % 50 == 0:
            report(_line(progress, mean))
        done = progress.share() >= 1.0 or progress.stopped
        if done or time.monotonic() - saved > SAVE_SECONDS:
            _keep(spec, state, masters, progress, words, mean)
            saved = time.monotonic()
        if done:
            return


def _line(progress: Progress, mean: float) -> str:
    speed = progress.tokens / max(progress.seconds, 1e-9)
    return (
        f"{progress.spec.name} step {progress.steps} {100 * progress.share():.1f} % loss {mean:.4f} "
        f"{progress.tokens / 1e6:.2f} M tokens {speed:.0f} tokens/s"
    )


def _restore(kept: dict[str, Any], masters: Masters, progress: Progress) -> None:
    masters.restore(kept)
    progress.steps, progress.tokens, progress.seconds = kept["steps"], kept["tokens"], kept["seconds"]


def _keep(
    spec: Spec, state: Path, masters: Masters, progress: Progress, words: PreTrainedTokenizerFast, mean: float
) -> None:
    save(masters.weights, spec.shape, words, spec.folder)
    counts = {"steps": progress.steps, "tokens": progress.tokens, "seconds": progress.seconds}
    record = {
        **counts,
        "seconds": round(progress.seconds, 1),
        "final_loss": round(mean, 4),
        "finished": progress.share() >= 1.0,
        "parameters": sum(w.numel() for w in masters.weights.values()),
        "spec": asdict(spec),
    }
    (spec.folder / "training.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    state.parent.mkdir(parents=True, exist_ok=True)
    partial = state.with_suffix(".partial")
    torch.save({**masters.state(), **counts}, partial)
    partial.replace(state)


def main(
    name: Annotated[str, typer.Argument(help=f"one of {', '.join(SPECS)}")],
    state: Annotated[Path | None, typer.Option(help="resumable state [default: var/zoo/NAME.pt]")] = None,
    fresh: Annotated[bool, typer.Option(help="ignore an earlier state")] = False,
    threads: Annotated[int, typer.Option(help="CPU threads")] = 1,
) -> None:
    """Train one model and write its folder."""
    if name not in SPECS:
        raise typer.BadParameter(f"unknown model {name!r}; known: {', '.join(SPECS)}")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(threads)
    train(SPECS[name], state or Path("var/zoo") / f"{name}.pt", not fresh, lambda line: print(line, flush=True))


if __name__ == "__main__":
    typer.run(main)
