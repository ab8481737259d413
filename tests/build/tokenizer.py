"""A small byte-level tokenizer in a folder, as trainers' tokenizers are: any text goes in, and marks are tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WORDS = ["The answer is 4. What is 2 + 2? Think about it first.", "def f(): return 4", "解：二加二得四。"] * 3
MARKS = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"]


def tokenizer_folder(folder: Path, template: str | None = None, **settings: Any) -> Path:
    """Train it on a few words and save it to `folder`; `settings`: the tokenizer's, as model_max_length."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        WORDS, trainers.BpeTrainer(vocab_size=400, special_tokens=MARKS, initial_alphabet=alphabet, show_progress=False)
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=made, eos_token=MARKS[1], pad_token=MARKS[2], **settings)
    if template is not None:
        fast.chat_template = template
    fast.save_pretrained(str(folder))
    return folder
