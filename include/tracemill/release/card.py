"""Writes the dataset card: what the release is, where it comes from, how it was checked, what it may be used for.

The sections are those of the published dataset's card (details, purpose, data, methodology, risks, legal), with this
release's own counts; the YAML block makes `datasets.load_dataset(FOLDER)` work as it stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import yaml
from huggingface_hub import DatasetCardData

from tracemill.engine.tally import Stage
from tracemill.release.contamination import Recalled, compared_with, contamination_section
from tracemill.release.distributions import HEAD, Cut, cut_rows
from tracemill.release.layout import FEATURES
from tracemill.release.licences import Terms, family, terms
from tracemill.release.markdown import cell, table
from tracemill.release.tally import UNLABELLED, Tally

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_ORDER = ["pretty_name", "license", "language", "task_categories", "size_categories", "tags", "configs"]
_LANGUAGES = {"en": "English", "zh": "Chinese"}
_FIGURES = {
    "length": "Length of entries in tokens",
    "reference": "Reference answers and test cases",
    "category": "Categories",
    "difficulty": "Difficulty",
}


def dataset_card(
    title: str,
    description: str,
    files: str | Mapping[str, str],
    tally: Tally,
    stages: Sequence[Stage],
    settings: Mapping[str, Any],
    cuts: Sequence[Cut] = (),
    recalled: Recalled = MappingProxyType({}),
    models: str = "",
) -> str:
    """The text of README.md. `settings` are those of every step, so that the release can be made again.

    `files`: the data files by the names of their configurations, the first one is loaded by default; a text names one.
    `recalled`: by benchmark that became known after a release, what it took out. `models`: the section on them.
    """
    granted = terms(tally.licences)
    names = {files: f"{files}.jsonl.zst"} if isinstance(files, str) else dict(files)
    sections = [
        _front_matter(title, names, tally, granted),
        f"# {title}\n\n{description}\n",
        _details(title, tally, compared_with(settings, tally, recalled)),
        _purpose(),
        _data(names, tally),
        _methodology(tally, stages, settings, cuts, recalled, models),
        _risks(),
        _legal(tally, granted),
    ]
    return "\n".join(sections)


def _front_matter(title: str, names: Mapping[str, str], tally: Tally, granted: Terms) -> str:
    size = next((name for limit, name in _SIZES if tally.rows < limit), "1M<n<10M")
    head = DatasetCardData(
        pretty_name=title,
        license=granted.licence if family(granted.licence) != "unknown" else "other",
        language=sorted(set(tally.languages) & set(_LANGUAGES)) or ["en"],
        task_categories=["text-generation"],
        size_categories=[size],
        tags=["reasoning", "distillation", "tracemill"],
        # One format only: `datasets` reads all configurations of a folder with one builder.
        configs=[
            {"config_name": name, "data_files": file, **({} if place else {"default": True})}
            for place, (name, file) in enumerate(names.items())
        ],
    )
    block = head.to_yaml(original_order=_ORDER)
    features = "".join(f"- config_name: {name}\n{FEATURES}" for name in names)
    return f"---\n{block}\ndataset_info:\n{features}---\n"


def _details(title: str, tally: Tally, compared: Sequence[str]) -> str:
    languages = ", ".join(_LANGUAGES.get(name, name) for name in sorted(tally.languages)) or "none"
    return f"""## Details

- **Name**: {title}
- **Overview**: {tally.rows:,} responses with their thinking to {tally.problems:,} problems, {tally.tokens:,} tokens \
in all, collected, deduplicated, decontaminated, checked and selected by tracemill.
- **Data type**: reasoning task pairs
- **Domains**: Natural Language Processing; categories: {_listed(tally.categories)}
- **Languages**: {languages}
- **Benchmarks it was kept apart from**: {", ".join(compared) or "none"}
"""


def _purpose() -> str:
    return """## Purpose and intended users

- **Goal**: long chains of thought to fine-tune language models on, and to study how such data are made.
- **Audience**: researchers and developers of language models.
- **Tasks**: general reasoning, text generation.
- **Limitations**: the responses were written by language models. A check against a reference answer or tests shows \
that the end is right, not that every step of the thinking is. What no verifier could judge is named under Methodology.
"""


def _data(names: Mapping[str, str], tally: Tally) -> str:
    file, *others = names
    counted = {
        "Problems from": tally.sources,
        "Responses from": tally.response_sources,
        "Responses by": tally.teachers,
        "Reference and tests": tally.availability,
        "Difficulty": tally.difficulties,
        "Language": tally.languages,
        "Topic": tally.topics,
        "Passed": tally.verifiers,
    }
    rows = [(what, name, count) for what, counts in counted.items() for name, count in _by_count(counts)]
    figures = "\n".join(f"![{text}](figures/{name}.png)" for name, text in _FIGURES.items())
    return f"""## Data

- **Source**: {_listed(tally.sources)}
- **Size**: {tally.rows:,} entries
- **Format**: the layout of AM-DeepSeek-R1-Distilled-1.4M. `{file}.jsonl.zst` (JSON lines) and `{file}.parquet` hold \
the same rows; row k of `metadata.parquet` tells ids, origin, licence, labels, verdicts and contamination scores of \
row k; `funnel.json` tells where every row went.{_beside([names[name] for name in others])}
- **Annotation**: user and assistant turns, each with `info`: source, think_content, answer_content, \
reference_answer, test_case. `test_case.test_code` is Python where the tests are Python, else a JSON object.

```python
from datasets import load_dataset
rows = load_dataset("PATH_OF_THIS_FOLDER", split="train")
same = load_dataset("parquet", data_files="PATH_OF_THIS_FOLDER/{file}.parquet", split="train")
about = load_dataset("parquet", data_files="PATH_OF_THIS_FOLDER/metadata.parquet", split="train")
```

{table(("what", "value", "entries"), rows)}
{figures}
"""


def _beside(files: Sequence[str]) -> str:
    """What lies beside the first file; nothing for a release of one."""
    if not files:
        return ""
    listed = ", ".join(f"`{file}`" for file in files)
    return (
        f" Beside it: {listed}, configurations of their own with rows of other response sources, or with random rows "
        "again (samples). `file` and `row` in the metadata say which row of which file a line is about."
    )


def _methodology(
    tally: Tally,
    stages: Sequence[Stage],
    settings: Mapping[str, Any],
    cuts: Sequence[Cut],
    recalled: Recalled,
    models: str,
) -> str:
    passed = Counter({name: count for name, count in tally.verifiers.items() if name != "none"})
    return f"""## Methodology

- **Methods**: {", ".join(stage.step for stage in stages)}.
- **Metrics**: verdicts of verifiers (pass, fail, unverifiable); "unverifiable" never counts as right or wrong.
- **Validation**: of {tally.rows:,} entries, {tally.rows - tally.verifiers["none"]:,} passed at least one verifier \
({_listed(passed)}); {tally.verifiers["none"]:,} passed none. \
{tally.low_trust:,} passed only tests that share a process with the program (trust low), which control runs with \
other expected values confirmed.
- **Continued**: {tally.continued:,} responses had reached their budget and were continued from where they were cut; \
`seam` in `metadata.parquet` says where.

### Funnel

Every row that entered a step left it in exactly one bucket.

{table(("step", "counts", "entered", "kept", "turned away"), map(_funnel_row, stages))}
### Contamination

{contamination_section(settings, tally, recalled)}
{_opinions(tally)}{_distributions(cuts)}{tally.fits.section()}{models}### Settings

```yaml
{yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)}```
"""


def _funnel_row(stage: Stage) -> tuple[Any, ...]:
    away = [f"{reason} {count:,}" for reason, count in stage.rejected.items()]
    away += [f"{reason} {count:,} (quarantined)" for reason, count in stage.quarantined.items()]
    return stage.step, f"{stage.unit}s", stage.entered, stage.kept, ", ".join(away)


def _opinions(tally: Tally) -> str:
    """How often each judge agrees with what verifiers had decided; nothing where none was asked about that."""
    if not tally.opinions:
        return ""
    said = ("pass", "fail", "unverifiable")
    pairs = sorted({(judge, verified) for judge, verified, _ in tally.opinions})
    rows = [(*pair, *(tally.opinions[*pair, status] for status in said)) for pair in pairs]
    head = ("judge", "the verifiers said", "it said pass", "fail", "nothing readable")
    return f"### Judges against verifiers\n\n{table(head, rows)}\n"


def _distributions(cuts: Sequence[Cut]) -> str:
    """How each metric that was cut is distributed, and the cut; nothing where the recipe cuts none."""
    if not cuts:
        return ""
    figures = "\n".join(f"![{name}](figures/cut_{name}.png)" for name in sorted({cut["metric"] for cut in cuts}))
    return f"### Distributions and cuts\n\n{table(HEAD, cut_rows(cuts))}\n{figures}\n\n"


def _risks() -> str:
    return """## Risks

- **Risk categories**: accuracy, fairness, privacy.
- **Demographic analysis**: none was made.
- **Potential harm**: responses can be wrong or carry the biases of the models that wrote them; no filter for harmful \
content was run beyond the steps above.
"""


def _legal(tally: Tally, granted: Terms) -> str:
    conflict = f"\n- **Open question**: {granted.conflict}." if granted.conflict else ""
    return f"""## Ethics and law

- **Data licensing**: the most restrictive licence of any row stands for the whole: **{cell(granted.licence)}** \
({granted.restriction}). `metadata.parquet` gives each row's own.{conflict}
- **Privacy and anonymity**: the sources are public datasets; nothing was collected from persons.
- **Consent procedures**: those of the sources; none of its own.
- **Compliance with regulations**: to be checked by whoever publishes or uses it.

{table(("licence", "entries"), _by_count(tally.licences))}"""


def _by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _listed(counts: Mapping[str, int]) -> str:
    named = [f"{cell(name)} ({count:,})" for name, count in _by_count(counts) if name != UNLABELLED]
    return ", ".join(named) or "none"
