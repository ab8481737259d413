"""Prints as JSON what trl makes of exports: input ids and labels of each row, one line an export. For .venv-train.

python -P trl_labels.py TOKENIZER EXPORT TEMPLATE_FILE [EXPORT TEMPLATE_FILE ...]
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from datasets import load_dataset
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
from trl import SFTConfig, SFTTrainer  # type: ignore[import-not-found,unused-ignore]

folder, *pairs = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
size = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **size))
for export, template in zip(pairs[::2], pairs[1::2], strict=True):
    tokenizer.chat_template = Path(template).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        rows = load_dataset(export, split="train", cache_dir=scratch)
        marked = "messages" in rows.column_names
        settings = SFTConfig(scratch, max_length=None, assistant_only_loss=marked, use_cpu=True, report_to="none")
        made = SFTTrainer(model, settings, train_dataset=rows, processing_class=tokenizer).train_dataset
        print(json.dumps([{"ids": row["input_ids"], "labels": row["labels"]} for row in made]))
