"""Trains one student: `accelerate launch -m tracemill.train.inside JOB.json`, in the environment .venv-train.

Exit status 3 when other settings or rows are needed (an event says so), 1 for whatever else ends it.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import cached_file
from trl import SFTConfig

from tracemill.train.inside.checkpoints import WHOLE, WRITING, flush, forget_halves, newest
from tracemill.train.inside.ending import stop_at
from tracemill.train.inside.job import EVENTS, FINISHED, HISTORY, MASKS, MODEL, Events, Job, Told, read_job
from tracemill.train.inside.sequences import owners, sequences, shown
from tracemill.train.inside.served import read_otherwise
from tracemill.train.inside.student import Keeper, NotANumber, Student
from tracemill.train.inside.written import as_the_base

REFUSED = 3
_READ = 2_000  # rows that are tried where the student's own tokenizer is another one


def main(path: Path) -> int:
    """Train to the end, from the last whole checkpoint on where there is one."""
    job = read_job(path)
    work = Path(job.work)
    state = PartialState(cpu=job.on_cpu)
    events = Events(work / EVENTS, speaks=state.is_main_process)
    try:
        if state.num_processes != job.devices:  # the batch would be another one
            raise Told(f"{state.num_processes} processes train where the recipe says {job.devices}: see launch.gpus")
        train(job, work, events)
    except Told as told:  # by whichever process met it
        replace(events, speaks=True).tell("refused", why=str(told))
        return REFUSED
    return 0


def train(job: Job, work: Path, events: Events) -> None:
    """Raises Told for a checkpoint of another training, a tokenizer that the weights do not know, and a loss of NaN."""
    if PartialState().is_main_process:
        forget_halves(work)
    PartialState().wait_for_everyone()
    resumed = newest(work, job.identity)
    tokenizer = AutoTokenizer.from_pretrained(job.tokenizer, local_files_only=True)
    rows = _rows(job, work)
    before = _config(job)
    model = _model(job, tokenizer)
    stop_at(job.ends, model, tokenizer)
    _require_read_alike(job, tokenizer, model, rows, work)
    trainer = Student(
        model=model,
        args=_settings(job, work),
        train_dataset=rows.remove_columns("id"),
        processing_class=tokenizer,
        callbacks=[Keeper(job, events)],
    )
    _require_all(trainer.train_dataset, len(rows))
    _show(job, trainer, tokenizer, work, events)
    begun = {"rows": len(rows), "sequences": len(trainer.train_dataset)}
    events.tell("began", **begun, resumed=resumed.name if resumed else None)
    try:
        trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    except NotANumber as found:
        named = owners(found.rows, rows, tokenizer, job.max_length)
        raise Told(
            f"the loss of step {found.step} is {found.loss}, with the rows {', '.join(named) or 'of no known id'}: "
            "look at them, or train with a lower learning rate; the last checkpoint is kept"
        ) from found
    _finish(trainer, work, before)
    events.tell("finished", step=trainer.state.global_step)


def _rows(job: Job, work: Path) -> Any:
    rows = load_dataset("parquet", data_files=list(job.rows), split="train", cache_dir=str(work / "cache"))
    left_out = frozenset(job.left_out)
    return rows.filter(lambda identity: identity not in left_out, input_columns="id") if left_out else rows


def _config(job: Job) -> dict[str, Any]:
    """What the base says of itself, before anything is changed; `_model` says why it cannot be read."""
    try:
        path = cached_file(job.base, "config.json", revision=job.revision, local_files_only=True)
        return dict(json.loads(Path(path).read_text(encoding="utf-8"))) if path else {}
    except (OSError, ValueError, TypeError):
        return {}


def _model(job: Job, tokenizer: PreTrainedTokenizerBase) -> Any:
    try:
        model = AutoModelForCausalLM.from_pretrained(
            job.base,
            revision=job.revision,
            dtype=torch.float32,  # the weights that the optimiser changes; `precision` is what is computed in
            attn_implementation=job.attention,
            local_files_only=True,
        )
    except (OSError, ValueError, ImportError) as error:
        raise Told(f"{job.base} holds no model that can be trained: {str(error).splitlines()[0]}") from error
    known = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > known:
        raise Told(
            f"the tokenizer has {len(tokenizer):,} tokens and the weights of {job.base} know {known:,}: they are "
            "another model's"
        )
    return model


def _require_read_alike(job: Job, tokenizer: Any, model: Any, rows: Any, work: Path) -> None:
    first = read_otherwise(tokenizer, model.config, rows.select(range(min(_READ, len(rows)))), work)
    if first is not None:
        raise Told(
            f"a student of {job.base} would be asked in other tokens than it learned (such as the row {first}): its "
            "config.json names another class of tokenizer than the one that rows were proved with. Prove with the "
            "model's own folder as the tokenizer"
        )


def _settings(job: Job, work: Path) -> SFTConfig:
    return SFTConfig(
        output_dir=str(work / WRITING),
        max_length=job.max_length,
        packing=job.packing,
        packing_strategy="bfd",
        assistant_only_loss=job.marked,
        learning_rate=job.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=job.warm_up,  # below 1 it is a share of all steps
        num_train_epochs=job.epochs,
        per_device_train_batch_size=job.per_device,
        gradient_accumulation_steps=job.accumulated,
        gradient_checkpointing=job.recompute,
        bf16=job.precision == "bf16",
        use_cpu=job.on_cpu,
        seed=job.seed,
        data_seed=job.seed,
        save_strategy="steps",
        save_steps=job.save_every,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to="none",
    )


def _require_all(made: Any, rows: int) -> None:
    """Refuse to train on fewer rows than were asked for: trl leaves out, unasked, those without any loss."""
    packs = "seq_lengths" in made.column_names
    left = sum(map(len, made["seq_lengths"])) if packs else len(made)
    if left != rows:
        raise Told(
            f"{rows - left:,} of {rows:,} rows have no token in the loss once they are cut: set too_long to leave_out"
        )


def _show(job: Job, trainer: Student, tokenizer: PreTrainedTokenizerBase, work: Path, events: Events) -> None:
    """Write the masks of the first rows as text, before anything is learned from them."""
    texts: list[str] = []
    for place in range(len(trainer.train_dataset)):
        batch = trainer.data_collator([trainer.train_dataset[place]])
        for ids, labels in sequences(batch):
            if len(texts) == job.shown:
                break
            texts.append(shown(tokenizer, ids, labels))
            events.tell("mask", text=texts[-1])
        if len(texts) == job.shown:
            break
    if events.speaks:
        (work / MASKS).write_text("\n\n".join(texts) + "\n", encoding="utf-8")


def _finish(trainer: Student, work: Path, base: dict[str, Any]) -> None:
    """Write the student and its log beside their place, which they take when whole; checkpoints then go."""
    part = work / f"{FINISHED}.part"
    if trainer.is_fsdp_enabled:  # a checkpoint has a part a device; what is served has all in one
        trainer.accelerator.state.fsdp_plugin.set_state_dict_type("FULL_STATE_DICT")
    if PartialState().is_main_process:
        shutil.rmtree(part, ignore_errors=True)
    PartialState().wait_for_everyone()
    trainer.save_model(str(part / MODEL))
    PartialState().wait_for_everyone()
    if not PartialState().is_main_process:
        return
    (part / MODEL / "training_args.bin").unlink(missing_ok=True)  # a pickle, of this machine's paths
    as_the_base(part / MODEL, base)
    history = [line for line in trainer.state.log_history if "loss" in line]
    (part / HISTORY).write_text(json.dumps(history) + "\n", encoding="utf-8")
    flush(part)
    part.rename(work / FINISHED)
    for name in (WHOLE, WRITING, "cache"):
        shutil.rmtree(work / name, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
