"""Tiny random models and tokenizers, built here, saved as folders, loaded by the public road.

Their text is noise; what tests ask of them is arithmetic, and for that any weights do.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing
from transformers import (
    AddedToken,
    Gemma2Config,
    Gemma2ForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# Gemma's way: no system turn, a begin token, other names for the roles.
NO_SYSTEM = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}" + CHATML
)
# Phi-3's first way: a system turn vanishes without a word.
DROPS_SYSTEM = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}"
    "{{ '<|im_start|>\n' + m['content'] + '<|im_end|>\n' }}"
    "{% elif m['role'] == 'assistant' %}{{ m['content'] + '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{{ '<|im_start|>\n' }}"
)

SPECIALS = ["<bos>", "<eos>", "<pad>", "<|im_start|>", "<|im_end|>"]
UNMARKED = "<tool>"  # an added token that is not special; only a template makes it a control token

WINDOW = 16
CONTEXT = 1024

_SENTENCES = [
    "An instant classic that I loved from the first minute to the last, truly good.",
    "A bad film, not good, and a waste of an evening. The review is negative.",
    "Review: it was positive\nSentiment: positive\n\nReview: it was negative\n\n",
    "Say whether the review is positive or negative. True or False? yes, no, maybe.",
    "user\nassistant\nsystem\n Answer with one word: good, bad, not good, very good.",
    '{"sentiment": "positive", "reasoning": "because it is good"}',
]


def byte_level_tokenizer(
    template: str | None = CHATML, *, adds_bos: bool = False
) -> PreTrainedTokenizerFast:
    """Byte-level BPE with GPT-2's splits: nothing is unknown, a space belongs to the next word."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=SPECIALS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(_SENTENCES, trainer)
    return _finished(raw, template, adds_bos)


def sentencepiece_tokenizer(
    template: str | None = CHATML, *, prepend: str = "first", strips: bool = False
) -> PreTrainedTokenizerFast:
    """Metaspace BPE with byte fallback: one split, a dummy prefix, as Llama 2 and Phi-3 have it.

    `strips` makes the marks take the white space behind them away, as Phi-3's do.
    """
    raw = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<0x00>"))
    raw.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=prepend, split=False)
    raw.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=460,
        special_tokens=[*SPECIALS, *(f"<0x{n:02X}>" for n in range(256))],
        show_progress=False,
        max_token_length=12,
    )
    words = [word for sentence in _SENTENCES for word in sentence.split()]
    raw.train_from_iterator(words, trainer)
    # The byte tokens were special only for the trainer; in the vocabulary they are plain.
    state = raw.to_str()
    kept = json.loads(state)
    kept["added_tokens"] = [t for t in kept["added_tokens"] if not t["content"].startswith("<0x")]
    return _finished(Tokenizer.from_str(json.dumps(kept)), template, adds_bos=True, rstrip=strips)


def _finished(
    raw: Tokenizer, template: str | None, adds_bos: bool, rstrip: bool = False
) -> PreTrainedTokenizerFast:
    if adds_bos:
        raw.post_processor = TemplateProcessing(
            single="<bos> $A", special_tokens=[("<bos>", raw.token_to_id("<bos>"))]
        )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        additional_special_tokens=[
            AddedToken(mark, special=True, normalized=False, rstrip=rstrip)
            for mark in ("<|im_start|>", "<|im_end|>")
        ],
    )
    tokenizer.add_tokens([UNMARKED])
    tokenizer.chat_template = template
    return tokenizer


def tiny_llama(n_tokens: int, seed: int = 0) -> PreTrainedModel:
    """A Llama with two layers and random weights, large enough to tell tokens apart."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=n_tokens,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=CONTEXT,
        initializer_range=0.4,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=4,
        pad_token_id=2,
    )
    return LlamaForCausalLM(config)


_GEMMA: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "query_pre_attn_scalar": 8,
    "sliding_window": WINDOW,
    "layer_types": ["sliding_attention", "full_attention"],
    "max_position_embeddings": CONTEXT,
    "initializer_range": 0.4,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 2,
}


def tiny_gemma(n_tokens: int, seed: int = 0) -> PreTrainedModel:
    """A Gemma 3 with one layer that sees `WINDOW` tokens and one that sees all."""
    torch.manual_seed(seed)
    return Gemma3ForCausalLM(Gemma3TextConfig(vocab_size=n_tokens, **_GEMMA))


def tiny_gemma2(n_tokens: int, seed: int = 0) -> PreTrainedModel:
    """A Gemma 2: the same, and its attention has a soft cap."""
    torch.manual_seed(seed)
    config = Gemma2Config(vocab_size=n_tokens, attn_logit_softcapping=1.0, **_GEMMA)
    return Gemma2ForCausalLM(config)


def tiny_named(config: type[Any], model: type[Any], n_tokens: int) -> PreTrainedModel:
    """A causal model of another architecture with two small layers and random weights."""
    torch.manual_seed(0)
    return model(
        config(
            vocab_size=n_tokens,
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            max_position_embeddings=CONTEXT,
            initializer_range=0.4,
            bos_token_id=0,
            eos_token_id=4,
            pad_token_id=2,
        )
    )


def save(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> Path:
    """Write a model folder with safetensors weights, as a user would have it."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def slow_logits(model: PreTrainedModel, ids: Sequence[int]) -> torch.Tensor:
    """The reference: the next token's logits by one whole pass, no cache, one row, float64."""
    with torch.inference_mode():
        out = model(input_ids=torch.tensor([list(ids)]), use_cache=False)
    return out.logits[0, -1].double()
