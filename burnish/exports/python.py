"""A stand-alone Python file that classifies as `choose` does, with transformers and torch alone.

It holds the prompt in the codec's own pieces, so that an input, or a demo, can never become a
control token, and it renormalises over the answers' tokens as `modules.lm.trie` does. What only
some prompts or models need stands only in their files.
"""
# ruff: noqa: E501  the file that is written has lines of up to 120 characters

from burnish.exports.answer_tokens import AnswerTokens, answer_tokens
from burnish.exports.form import Export, Tokenizer, made_from, placeholder, rendered
from burnish.exports.get import get_folder, home
from modules.lm.pieces import Control, PieceCodec
from modules.prompts import Artifact
from modules.prompts.prompt import InputCap
from modules.prompts.render import GAP

_FILE = '''\
"""Classify texts, one a line, with a frozen prompt: python FILE [MODEL [TEXTS ...]]
MODEL is the folder, or the hub id, of the weights: {told}
{made_from}"""
import copy, fileinput, functools, json, re, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer

MODEL, REVISION, DTYPE = {model}, {revision}, torch.{dtype}
# For each label what is said for it, that in tokens and the one that ends it, and the bias.
LABELS = {labels}{evidence}
# Parts that are encoded apart: [control tokens], and (before, text, behind): a text and what it is encoded between.
PROMPT = [{parts}]
{controls}
def encode(tok, part, text):  # no text in it becomes a control token, whatever it spells
    def plain(text):
        text = text.encode("utf-8", "replace").decode()
{plain}
    def between(before, own, behind):
        whole, left = plain(before + (own := own.replace({placeholder}, text)) + behind), plain(before)
        whole = whole[len(left) :] if whole[: len(left)] == left else plain(own + behind)
        return whole[: len(whole) - len(plain("\\n" + behind)) + len(plain("\\n"))]
    return [i for p in part for i in (tok.convert_tokens_to_ids(p) if isinstance(p, list) else between(*p))]

def choose(tok, model, first, past, text):
{own}
    assert len(first) + len(own) + {longest} <= model.config.max_position_embeddings, "a text is too long for the model"
{state}
    scores = {{label: bias for label, (_, _, bias) in LABELS.items()}}{weighed}
    for label, (_, answer, _) in LABELS.items():
        for n, token in enumerate(answer):
            ways = sorted({{other[n] for _, other, _ in LABELS.values() if other[:n] == answer[:n]}})
            if len(ways) > 1:  # renormalised over the tokens that can still become an answer
                scores[label] += {scale}{logits}.log_softmax(0)[ways.index(token)].item()
    p = dict(zip(scores, torch.tensor([*scores.values()], dtype=torch.float64).softmax(0).tolist()))
    return max(p, key=p.get), p

@torch.inference_mode()
def classify(texts, name=MODEL):  # gives a (label, {{label: probability}}) for each text
    tok = AutoTokenizer.from_pretrained(name, revision=REVISION)
    model = AutoModelForCausalLM.from_pretrained(name, revision=REVISION, dtype=DTYPE, use_safetensors=True)
    first = encode(tok, PROMPT[0], "")  # the same for every text, so it runs once
    past = model.base_model(torch.tensor([first])).past_key_values if first else None
    return [choose(tok, model, first, past, text) for text in texts]

if __name__ == "__main__":
    name, *files = sys.argv[1:] or [MODEL]
    for label, p in classify(fileinput.input(files, encoding="utf-8"), name):
        print(json.dumps({{"label": label, "probability": p[label]}}))
'''
_PLAIN = """\
        return tok(text, add_special_tokens=False, split_special_tokens=True)["input_ids"] if text else []"""
# Control tokens that are not marked special are not split by the tokenizer: their spelling is
# broken behind its first character, as the codec does it.
_BROKEN = """\
        ids = tok(text, add_special_tokens=False, split_special_tokens=True)["input_ids"] if text else []
        if not {*CONTROLS}.isdisjoint(tok.convert_ids_to_tokens(ids)):
            spelled = f"(?s)(?<=(?=(?:{'|'.join(map(re.escape, CONTROLS))})).)"
            ids = tok([p for p in re.split(spelled, text) if p], add_special_tokens=False, split_special_tokens=True)
            ids = [i for p in ids["input_ids"] for i in p if tok.convert_ids_to_tokens(i) not in CONTROLS]
        return ids"""
_EVIDENCE = """
# Behind the tokens BEGUN, what each label's weights give to the tokens of further words, less their mean; and the scale.
BEGUN, SCALE, WORDS = {begun!r}, {scale!r}, {words!r}
WEIGHTS = {weights!r}"""
_WEIGHED = """
    told = {logits}
    for label, weights in WEIGHTS.items():
        scores[label] += (torch.tensor(weights, dtype=torch.float64) @ (told - told.mean())).item()"""
_LOGITS = """\
    logits = functools.cache(lambda path: model(torch.tensor([[*own, *path]]), past_key_values=copy.deepcopy(past),
                                                logits_to_keep=1).logits[0, -1].double())"""
_LAST_LAYER = """\
    head, cap = model.get_output_embeddings(), getattr(model.config, "final_logit_softcapping", None)
    hidden = functools.cache(lambda path: model.base_model(
        torch.tensor([[*own, *path]]), past_key_values=copy.deepcopy(past)).last_hidden_state[0, -1].double())
    def logits(path, ways):  # in bfloat16 logits near 20 have steps of 0.125: these few are float64
        found = head.weight[ways].double() @ hidden(path) + (0 if head.bias is None else head.bias[ways])
        return torch.tanh(found / cap) * cap if cap else found"""


def export(artifact: Artifact, tokenizer: Tokenizer) -> Export:
    """Give the file. Texts come one a line; its `classify` takes any."""
    codec, model = tokenizer(), artifact.model
    tokens = answer_tokens(artifact, codec, weighs=True)
    exact = model.dtype != "bfloat16"
    unmarked = bool(codec.unmarked)
    text = _FILE.format(
        told=_quoted(get_folder(model)),
        made_from=_quoted(made_from(artifact)),
        model=ascii(model.source if home(model) == "hub" else model.name),
        revision=ascii(model.revision if home(model) == "hub" else "main"),
        dtype=model.dtype,
        labels=_labels(tokens),
        parts=",\n          ".join(_parts(codec, artifact)),
        controls=_controls(codec) if unmarked else "",
        plain=_BROKEN if unmarked else _PLAIN,
        placeholder=ascii(placeholder(artifact)),
        own=_own(artifact.prompt.cap),
        longest=tokens.longest,
        state=_LOGITS if exact else _LAST_LAYER,
        logits="logits(answer[:n])[ways]" if exact else "logits(answer[:n], ways)",
        evidence=_evidence(tokens),
        weighed=_weighed(tokens, exact),
        scale="" if tokens.evidence is None else "SCALE * ",
    )
    return Export.single(text, made_from(artifact))


def _quoted(text: str) -> str:
    """Give a line that a docstring in triple quotes can hold."""
    return text.replace("\\", "\\\\").replace('""', '\\"\\"')


def _labels(tokens: AnswerTokens) -> str:
    """Give what the labels' table says, each with the token that ends it."""
    entries = (
        f"{answer.label!r}: ({answer.text!r}, {(*answer.ids, tokens.end)}, {answer.bias!r})"
        for answer in tokens.answers
    )
    return "{" + ", ".join(entries) + "}"


def _evidence(tokens: AnswerTokens) -> str:
    """Give the constants of evidence, as lines that follow the labels' table."""
    found = tokens.evidence
    if found is None:
        return ""
    return _EVIDENCE.format(
        begun=found.begun,
        scale=found.scale,
        words=list(found.words),
        weights={label: list(weights) for label, weights in found.weights.items()},
    )


def _weighed(tokens: AnswerTokens, exact: bool) -> str:
    if tokens.evidence is None:
        return ""
    return _WEIGHED.format(logits="logits(BEGUN)[WORDS]" if exact else "logits(BEGUN, WORDS)")


def _parts(codec: PieceCodec, artifact: Artifact) -> list[str]:
    """Give the prompt's parts as Python lists."""
    parts = codec.pieces(rendered(artifact))
    restarts = codec.restarts or not rendered(artifact).is_chat
    before, written = "", []
    for number, part in enumerate(parts):
        pieces = []
        for at, piece in enumerate(part):
            if isinstance(piece, Control):
                pieces.append(f"[{piece.text!r}]")
                before = "" if restarts else "\n"
                continue
            # A text that ends a part is a whole line, encoded as if more followed it.
            is_line = at == len(part) - 1 and number < len(parts) - 1
            pieces.append(repr((before, piece, "a" if is_line else "")))
            before = "\n"
        written.append(f"[{', '.join(pieces)}]")
    return written


def _controls(codec: PieceCodec) -> str:
    """Give the spellings of the control tokens, the longest first, as they are searched for."""
    return f"CONTROLS = {sorted(codec.controls, key=len, reverse=True)!r}"


def _own(cap: InputCap) -> str:
    """Give the lines that cut an input as `modules.prompts.render.cut` does, and encode it."""
    own = "    own = [i for part in PROMPT[1:] for i in encode(tok, part, {})]"
    if cap.words is None:
        return own.format("text.strip()")
    n_head = {"head": cap.words, "tail": 0, "both": (cap.words + 1) // 2}[cap.keep]
    head = f'" ".join(w[:{n_head}])'
    tail = f'" ".join(w[len(w) - {cap.words - n_head} :])'
    kept = {"head": head, "tail": tail, "both": f'{head} + "{GAP}" + {tail}'}[cap.keep]
    cut = f"    text = text.strip() if len(w := text.split()) <= {cap.words} else {kept}"
    return f"{cut}\n{own.format('text')}"
