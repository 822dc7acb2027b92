"""The label words that the search may choose from: what the model says for each label."""

from collections.abc import Sequence

from modules.errors import UserError

# Opposites that a model has met in reviews far more often than the label names themselves; each
# pair stands as (negative, positive).
_OPPOSITES = (
    ("bad", "good"),
    ("terrible", "great"),
    ("poor", "excellent"),
    ("boring", "brilliant"),
    ("dull", "enjoyable"),
    ("awful", "amazing"),
    ("disappointing", "impressive"),
    ("mediocre", "outstanding"),
    ("no", "yes"),
)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MAX_CHARS = 200  # what a LabelWord holds


def label_words(labels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Give named sets of words, one word per label in label order.

    The labels' own names come first; for a negative and a positive label opposites follow, for any
    other set of up to 26 labels capital letters. A set in which two words are equal is left out.

    Raises:
        UserError: the labels' names cannot be words: too long, or equal but for case and spaces.
    """
    names = tuple(" ".join(label.split()) for label in labels)
    _check_names(names)
    found = {"names": names, "capitalised": tuple(name[:1].upper() + name[1:] for name in names)}
    if {name.casefold() for name in names} == {"negative", "positive"}:
        turned = names[0].casefold() == "positive"
        for pair in _OPPOSITES:
            found["-".join(pair)] = pair[::-1] if turned else pair
    elif len(names) <= len(_LETTERS):
        found["letters"] = tuple(_LETTERS[: len(names)])
    return {
        name: words
        for name, words in found.items()
        if len({word.casefold() for word in words}) == len(words)
    }


def _check_names(names: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if len(name) > _MAX_CHARS:
            raise UserError(
                f"a label must have at most {_MAX_CHARS} characters, for a model has to say it; "
                f"got one of {len(name):,}: {name[:40]!r}..."
            )
        other = seen.setdefault(name.casefold(), name)
        if other is not name:
            raise UserError(
                f"labels must differ in more than case and spaces, but there are {other!r} and "
                f"{name!r}; rename one"
            )
