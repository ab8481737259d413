"""The sources a recipe can name. To add one: its file, an import here, and its name in AnySource."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tracemill.ingest.datasets.aime import AimeSource
from tracemill.ingest.datasets.aime_exams import Aime2024, Aime2025, Aime2026
from tracemill.ingest.datasets.benchmark import OwnBenchmark
from tracemill.ingest.datasets.bespoke_stratos_17k import BespokeStratos17kSource
from tracemill.ingest.datasets.codeforces_cots import CodeforcesCotsSource
from tracemill.ingest.datasets.codeio import CodeioSource
from tracemill.ingest.datasets.data_ablation_59k import DataAblation59kSource
from tracemill.ingest.datasets.deepcoder_preview import DeepcoderPreviewSource
from tracemill.ingest.datasets.dolphin_r1 import DolphinR1Source
from tracemill.ingest.datasets.eurus_2_rl import Eurus2RlSource
from tracemill.ingest.datasets.general_thought import GeneralThoughtSource
from tracemill.ingest.datasets.gpqa_diamond import GpqaDiamond
from tracemill.ingest.datasets.gsm8k import Gsm8kSource
from tracemill.ingest.datasets.huggingface import HuggingfaceSource
from tracemill.ingest.datasets.humaneval import HumanevalSource
from tracemill.ingest.datasets.ifeval import Ifeval
from tracemill.ingest.datasets.ifeval_like import IfevalLikeSource
from tracemill.ingest.datasets.infinity_instruct import InfinityInstructSource
from tracemill.ingest.datasets.kodcode import KodcodeSource
from tracemill.ingest.datasets.kodcode_v1_sft_r1 import KodcodeV1SftR1Source
from tracemill.ingest.datasets.limo import LimoSource
from tracemill.ingest.datasets.livecodebench import LiveCodeBench
from tracemill.ingest.datasets.llama_nemotron import LlamaNemotronSource
from tracemill.ingest.datasets.math_500 import Math500
from tracemill.ingest.datasets.math_cot import MathCotSource
from tracemill.ingest.datasets.math_lighteval import MathLightevalSource
from tracemill.ingest.datasets.metamathqa import MetamathqaSource
from tracemill.ingest.datasets.natural_reasoning import NaturalReasoningSource
from tracemill.ingest.datasets.numina_math_1_5 import NuminaMath15Source
from tracemill.ingest.datasets.numina_math_cot import NuminaMathCotSource
from tracemill.ingest.datasets.omni_math import OmniMathSource
from tracemill.ingest.datasets.opencoder_stage2 import OpencoderStage2Source
from tracemill.ingest.datasets.openorca import OpenorcaSource
from tracemill.ingest.datasets.openr1_math_220k import Openr1Math220kSource
from tracemill.ingest.datasets.openthoughts_114k import Openthoughts114kSource
from tracemill.ingest.datasets.s1k import S1kSource
from tracemill.ingest.demo import DemoSource
from tracemill.ingest.mapped import JsonlSource

AnySource = Annotated[
    Aime2024
    | Aime2025
    | Aime2026
    | AimeSource
    | BespokeStratos17kSource
    | CodeforcesCotsSource
    | CodeioSource
    | DataAblation59kSource
    | DeepcoderPreviewSource
    | DemoSource
    | DolphinR1Source
    | Eurus2RlSource
    | GeneralThoughtSource
    | GpqaDiamond
    | Gsm8kSource
    | HuggingfaceSource
    | HumanevalSource
    | Ifeval
    | IfevalLikeSource
    | InfinityInstructSource
    | JsonlSource
    | KodcodeSource
    | KodcodeV1SftR1Source
    | LimoSource
    | LiveCodeBench
    | LlamaNemotronSource
    | Math500
    | MathCotSource
    | MathLightevalSource
    | MetamathqaSource
    | NaturalReasoningSource
    | NuminaMath15Source
    | NuminaMathCotSource
    | OmniMathSource
    | OpencoderStage2Source
    | OpenorcaSource
    | Openr1Math220kSource
    | Openthoughts114kSource
    | OwnBenchmark
    | S1kSource,
    Field(discriminator="kind"),
]
