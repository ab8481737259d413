"""The sources a recipe can name. To add one: its file, an import here, and its name in AnySource."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tracemill.sources.aime import AimeSource
from tracemill.sources.bespoke_stratos_17k import BespokeStratos17kSource
from tracemill.sources.codeforces_cots import CodeforcesCotsSource
from tracemill.sources.codeio import CodeioSource
from tracemill.sources.data_ablation_59k import DataAblation59kSource
from tracemill.sources.deepcoder_preview import DeepcoderPreviewSource
from tracemill.sources.demo import DemoSource
from tracemill.sources.dolphin_r1 import DolphinR1Source
from tracemill.sources.eurus_2_rl import Eurus2RlSource
from tracemill.sources.general_thought import GeneralThoughtSource
from tracemill.sources.gsm8k import Gsm8kSource
from tracemill.sources.huggingface import HuggingfaceSource
from tracemill.sources.humaneval import HumanevalSource
from tracemill.sources.ifeval_like import IfevalLikeSource
from tracemill.sources.infinity_instruct import InfinityInstructSource
from tracemill.sources.jsonl import JsonlSource
from tracemill.sources.kodcode import KodcodeSource
from tracemill.sources.kodcode_v1_sft_r1 import KodcodeV1SftR1Source
from tracemill.sources.limo import LimoSource
from tracemill.sources.llama_nemotron import LlamaNemotronSource
from tracemill.sources.math_cot import MathCotSource
from tracemill.sources.math_lighteval import MathLightevalSource
from tracemill.sources.metamathqa import MetamathqaSource
from tracemill.sources.natural_reasoning import NaturalReasoningSource
from tracemill.sources.numina_math_1_5 import NuminaMath15Source
from tracemill.sources.numina_math_cot import NuminaMathCotSource
from tracemill.sources.omni_math import OmniMathSource
from tracemill.sources.opencoder_stage2 import OpencoderStage2Source
from tracemill.sources.openorca import OpenorcaSource
from tracemill.sources.openr1_math_220k import Openr1Math220kSource
from tracemill.sources.openthoughts_114k import Openthoughts114kSource
from tracemill.sources.s1k import S1kSource

AnySource = Annotated[
    AimeSource
    | BespokeStratos17kSource
    | CodeforcesCotsSource
    | CodeioSource
    | DataAblation59kSource
    | DeepcoderPreviewSource
    | DemoSource
    | DolphinR1Source
    | Eurus2RlSource
    | GeneralThoughtSource
    | Gsm8kSource
    | HuggingfaceSource
    | HumanevalSource
    | IfevalLikeSource
    | InfinityInstructSource
    | JsonlSource
    | KodcodeSource
    | KodcodeV1SftR1Source
    | LimoSource
    | LlamaNemotronSource
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
    | S1kSource,
    Field(discriminator="kind"),
]
