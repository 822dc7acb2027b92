"""The two models of the first task in miniature, and reviews in the form of its data set.

The architectures and the chat templates are those of Phi-3-mini-4k-instruct and of
Qwen2-1.5B-Instruct; the weights are random.
"""

import json
import random
from pathlib import Path

from transformers import (
    AddedToken,
    Phi3Config,
    Phi3ForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from tests import tiny

PHI_3_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'system' %}"
    "{{'<|system|>\n' + message['content'] + '<|end|>\n'}}"
    "{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}"
    "{% elif message['role'] == 'assistant' %}"
    "{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"
)
QWEN2_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
PHI_3_MARKS = ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>")


def write_models(root: Path) -> tuple[Path, Path]:
    """Write a tiny Phi-3 and a tiny Qwen2 as folders."""
    pieces = tiny.sentencepiece_tokenizer(PHI_3_TEMPLATE)
    marks = [AddedToken(mark, special=True, normalized=False, rstrip=True) for mark in PHI_3_MARKS]
    pieces.add_tokens(marks, special_tokens=True)
    return (
        _write(root / "phi-3", Phi3Config, Phi3ForCausalLM, pieces),
        _write(
            root / "qwen2", Qwen2Config, Qwen2ForCausalLM, tiny.byte_level_tokenizer(QWEN2_TEMPLATE)
        ),
    )


def write_reviews(folder: Path, n: int = 480) -> Path:
    """Write `train.jsonl` and `test.jsonl` as the data set has them: 0 is positive, 1 negative."""
    rng = random.Random(11)
    folder.mkdir(parents=True)
    rows = [
        {
            "review": " ".join("".join(rng.choices("abdegilmnorst", k=5)) for _ in range(4)),
            "label": i % 2,
        }
        for i in range(n)
    ]
    for name, part in (("train", rows[: n * 4 // 5]), ("test", rows[n * 4 // 5 :])):
        text = "".join(f"{json.dumps(row)}\n" for row in part)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return folder


def _write(folder: Path, config: type, model: type, tokenizer: PreTrainedTokenizerFast) -> Path:
    return tiny.save(folder, tiny.tiny_named(config, model, len(tokenizer)), tokenizer)
