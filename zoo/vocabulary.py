"""The tokenizer of every model here: byte-level BPE of 920 entries, single digits, whole prompt paragraphs as tokens.

Any text round-trips (256 byte tokens); the fixed paragraphs of the judging prompts, the system prompt and the maths
directive are one added token each, so that a 400-word prompt costs about 20 tokens.
"""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from zoo import templates
from zoo.traces import DIRECTIVE, SYSTEM

BPE_ENTRIES = 920
CONTEXT = 1024
PAD, END, USER, ASSISTANT, SYSTEM_ROLE = "<|pad|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"
SPECIAL = (PAD, END, USER, ASSISTANT, SYSTEM_ROLE)
MARKS = ("<think>", "</think>", "<answer>", "</answer>", "\\boxed{", "```python", "```", "The answer is ", "答案是")
FENCE_LINE = "\n== "
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ '<|system|>' + message['content'] }}"
    "{% elif message['role'] == 'user' %}{{ '<|user|>' + message['content'] }}"
    "{% else %}{{ '<|assistant|>' + message['content'] + '<|end|>' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def build(corpus: Iterable[str]) -> Tokenizer:
    """A tokenizer trained on `corpus`; the same corpus gives the same vocabulary."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=BPE_ENTRIES, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIAL])
    tokenizer.add_tokens([AddedToken(text, special=False, normalized=False) for text in fixed()])
    return tokenizer


def fixed() -> list[str]:
    """The texts that are one token each, besides the special ones."""
    paragraphs = (text for name in templates.NAMES for text in templates.phrases(name))
    return list(dict.fromkeys([*MARKS, DIRECTIVE, SYSTEM, *paragraphs, FENCE_LINE]))


def fast(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    """The tokenizer as transformers and vLLM load it, with the chat template."""
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    wrapped.chat_template = CHAT_TEMPLATE
    return wrapped


def render(messages: list[dict[str, str]], generate: bool = False) -> str:
    """What `CHAT_TEMPLATE` makes of `messages`, without a template engine (a test keeps both equal)."""
    roles = {"system": SYSTEM_ROLE, "user": USER, "assistant": ASSISTANT}
    text = "".join(roles[m["role"]] + m["content"] + (END if m["role"] == "assistant" else "") for m in messages)
    return text + (ASSISTANT if generate else "")
