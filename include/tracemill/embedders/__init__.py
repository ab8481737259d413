"""The embedders a recipe can name. To add one: its file, an import here, its name in AnyEmbedder."""

from typing import Annotated

from pydantic import Field

from tracemill.embedders.hashing import HashingEmbedder
from tracemill.embedders.minilm import MiniLMEmbedder
from tracemill.embedders.multilingual import MultilingualEmbedder
from tracemill.embedders.sentence_transformer import SentenceTransformerEmbedder
from tracemill.embedders.served import ServedEmbedder

AnyEmbedder = Annotated[
    HashingEmbedder | MiniLMEmbedder | MultilingualEmbedder | SentenceTransformerEmbedder | ServedEmbedder,
    Field(discriminator="kind"),
]
