"""The model card of a zoo model: what it does, how it was trained, and what was measured."""

from __future__ import annotations

from typing import Any

from zoo.models import Spec
from zoo.problem import LEVELS

_WHAT = {
    "teacher": "Writes a reasoning trace for small problems: `<think>…</think>`, then `<answer>…</answer>`, "
    "with the value in `\\boxed{}` or one fenced Python block. It is often wrong on hard problems and sometimes "
    "runs long: a pipeline that verifies has something to reject.",
    "judge": "Answers the judging prompts under `include/tracemill/prompts` in their JSON: difficulty, category (both "
    "tag sets), correctness 1-5 (with the published trailing comma) and science 0-5.",
    "reward": "Scores an answer (`answer_content`, without the thinking) on helpfulness, correctness, coherence, "
    "complexity and verbosity, 0 to 4, in this order. It sees no reference answer.",
}


def card(spec: Spec, training: dict[str, Any], measured: dict[str, Any]) -> str:
    """Markdown with front matter; every number comes from `training.json` or `measured.json`."""
    tables = {"teacher": _teacher, "judge": _judge, "reward": _reward}[spec.role](measured)
    return "\n".join([*_head(spec, training), "## Measured on held-out problems", "", *tables, "", *_tail(spec), ""])


def _head(spec: Spec, training: dict[str, Any]) -> list[str]:
    shape = spec.shape
    kind = "Qwen2ForSequenceClassification" if shape.labels else "Qwen2ForCausalLM"
    return [
        "---", "license: apache-2.0", f"pipeline_tag: text-{'classification' if shape.labels else 'generation'}",
        "library_name: transformers", "---", "",
        f"# {spec.name}", "",
        _WHAT[spec.role], "",
        "A demonstration model, trained on generated problems only. It knows nothing else.", "",
        "## Training", "",
        "| | |", "|---|---|",
        f"| architecture | {kind}, {training['parameters'] / 1e6:.2f} M parameters, bfloat16 |",
        f"| shape | {shape.layers} layers, width {shape.hidden}, {shape.heads} heads, "
        f"{shape.key_value_heads} key-value heads, feed-forward {shape.feed_forward}, "
        f"vocabulary {shape.vocabulary}, context {shape.context} |",
        f"| command | `python -m zoo.train {spec.name}` (one CPU thread, Muon and AdamW) |",
        f"| starts from | {spec.parent or 'random weights'} |",
        f"| seed | {spec.seed} |",
        f"| tokens | {training['tokens'] / 1e6:.1f} M in {training['steps']} steps |",
        f"| minutes | {training['seconds'] / 60:.0f} of CPU time |",
        f"| final loss | {training['final_loss']} |", "",
    ]  # fmt: skip


def _teacher(measured: dict[str, Any]) -> list[str]:
    rows = [
        f"{measured['replies']} replies, temperature {measured['temperature']}, top-p 0.95, at most "
        f"{measured['budget']} tokens. Share of right replies by level (1 very easy, 5 very hard):", "",
        "| kind | " + " | ".join(map(str, LEVELS)) + " |", "|---|" + "---|" * len(LEVELS),
    ]  # fmt: skip
    for kind, levels in measured["right"].items():
        rows.append(f"| {kind} | " + " | ".join(f"{levels[str(n)]:.2f}" for n in LEVELS) + " |")
    rows.append("| all | " + " | ".join(f"{measured['right_by_level'][str(n)]:.2f}" for n in LEVELS) + " |")
    return [
        *rows, "",
        f"Well formed {measured['well_formed']:.3f}, truncated {measured['truncated']:.3f}, mean length "
        f"{measured['mean_tokens']} tokens, longest {measured['longest_tokens']}. Share of replies longer than "
        + ", ".join(f"{size} tokens: {share:.3f}" for size, share in measured["longer_than"].items())
        + " (a budget at that size truncates them). Code counts as right only when it is "
        "the reference program, so its figures are lower bounds.",
    ]  # fmt: skip


def _judge(measured: dict[str, Any]) -> list[str]:
    rows = [f"{measured['replies']} prompts, greedy.", "", "| prompt | parsed | right label |", "|---|---|---|"]
    rows += [f"| {task} | {row['parsed']:.3f} | {row['right']:.3f} |" for task, row in measured["tasks"].items()]
    return [
        *rows, "",
        f"Correctness as pass or fail at score 4: {measured['pass_at_4']:.3f}. Exact score with a reference answer "
        f"{measured['with_reference']:.3f}, without one {measured['without_reference']:.3f}.", "",
        f"Maths answers with a reference answer: scored 5 exactly when right {measured['maths_pass_at_5']:.3f}; of the "
        f"wrong ones {measured['maths_false_passes']:.3f} scored 5.",
    ]  # fmt: skip


def _reward(measured: dict[str, Any]) -> list[str]:
    rows = [
        f"{measured['answers']} answers.",
        "",
        "| attribute | mean absolute error | of a constant guess |",
        "|---|---|---|",
    ]
    guess = measured["constant_guess_error"]
    rows += [f"| {name} | {value:.3f} | {guess[name]:.3f} |" for name, value in measured["mean_absolute_error"].items()]
    rows += [
        "",
        "Share of pairs where the right answer outscores the other (helpfulness + correctness + coherence), by level:",
    ]
    rows += ["", "| other answer | " + " | ".join(map(str, LEVELS)) + " |", "|---|" + "---|" * len(LEVELS)]
    for grade, levels in measured["right_beats"].items():
        rows.append(f"| {grade} | " + " | ".join(f"{levels[str(n)]:.2f}" for n in LEVELS) + " |")
    return rows


def _tail(spec: Spec) -> list[str]:
    serve = f"vllm serve zoo/models/{spec.name} --dtype bfloat16 --enforce-eager --max-model-len {spec.shape.context}"
    if spec.role == "reward":
        serve += " --runner pooling"
    return [
        "## Use", "", "```", serve, "```", "",
        f"Measure again: `python -m zoo.measure {spec.name} --per-cell 30`. The held-out split is a tenth of all "
        "prompts, chosen by their content, and never trained on.",
    ]  # fmt: skip
