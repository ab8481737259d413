"""A small byte-level tokenizer in a folder, as trainers' tokenizers are: any text goes in, and marks are tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WORDS = ["The answer is 4. What is 2 + 2? Think about it first.", "def f(): return 4", "解：二加二得四。"] * 3
MARKS = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|end|>", "<|eot_id|>", "<|return|>"]


def tokenizer_folder(folder: Path, template: str | None = None, normalizer: Any = None, **settings: Any) -> Path:
    """Train it on a few words and save it to `folder`; `settings`: the tokenizer's, as model_max_length.

    `normalizer`: what it makes of a text before it reads it.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        WORDS, trainers.BpeTrainer(vocab_size=400, special_tokens=MARKS, initial_alphabet=alphabet, show_progress=False)
    )
    if normalizer is not None:
        made.normalizer = normalizer
    fast = PreTrainedTokenizerFast(tokenizer_object=made, eos_token=MARKS[1], pad_token=MARKS[2], **settings)
    if template is not None:
        fast.chat_template = template
    fast.save_pretrained(str(folder))
    return folder


def narrow_folder(folder: Path, unknown: str | None, white: bool = True) -> Path:
    """A tokenizer of single ASCII characters: what it does not know is `unknown`, or nothing at all; without `white` it
    parts words and forgets what was between them.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = [chr(code) for code in range(33, 127)] + ([" ", "\n", "\t"] if white else [])
    names = [*([unknown] if unknown else []), *letters]
    made = Tokenizer(models.BPE({name: number for number, name in enumerate(names)}, [], unk_token=unknown))
    made.decoder = decoders.Fuse()
    if not white:
        made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens(MARKS)
    named = {"unk_token": unknown} if unknown else {}
    PreTrainedTokenizerFast(tokenizer_object=made, eos_token=MARKS[1], **named).save_pretrained(str(folder))
    return folder
