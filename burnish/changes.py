"""What differs between two artifacts, part by part, as values; drawing is `burnish.diff`'s."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from modules.files import canonical_json, sha256_text
from modules.prompts import Artifact, Prompt
from modules.prompts.prompt import Demo
from modules.prompts.records import TaskRecord

Kind = Literal["changed", "added", "removed", "moved"]

PROMPT_PARTS = (
    *("layout", "instruction", "demos", "label words", "cap", "decoding", "bias", "evidence"),
    "members",
)
ORIGIN_PARTS = ("model", "task", "search", "versions", "file")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference: in which part, of what, and its values in A and in B.

    A value is None where there is none. "moved" is a demo whose `before` and `after` are its
    numbers, from 1, and whose text is `what`; other demos have their text and label as values.
    In the part "members", the further prompts of ensembles, `what` begins with the prompt's number
    in the ensemble, from 2, and what is added or removed is a whole prompt.
    """

    part: str
    what: str
    kind: Kind
    before: Any
    after: Any

    def to_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return {
            "part": self.part,
            "what": self.what,
            "kind": self.kind,
            "before": self.before,
            "after": self.after,
        }


def changes(a: Artifact, b: Artifact) -> list[Change]:
    """Give all differences: first those of the prompts, in the order of `PROMPT_PARTS`."""
    prompts = [*_prompt_changes(a.prompt, b.prompt), *_member_changes(a.members, b.members)]
    return [*prompts, *_origin_changes(a, b)]


def _prompt_changes(a: Prompt, b: Prompt) -> Iterator[Change]:
    yield from _fields("layout", a.layout.model_dump(), b.layout.model_dump())
    yield from _fields("instruction", _sentences(a), _sentences(b))
    yield from _order(a, b)
    yield from _demo_changes(a.demos, b.demos)
    yield from _fields(
        "label words", {w.label: w.word for w in a.words}, {w.label: w.word for w in b.words}
    )
    if set(a.label_names) == set(b.label_names) and a.label_names != b.label_names:
        yield _changed("label words", "order", list(a.label_names), list(b.label_names))
    yield from _fields("cap", a.cap.model_dump(), b.cap.model_dump())
    if a.decoding != b.decoding:
        yield _changed("decoding", "decoding", a.decoding, b.decoding)
    biases = (dict(zip(p.label_names, p.bias, strict=True)) for p in (a, b))
    yield from _fields("bias", *biases)
    yield from _fields("evidence", _evidence(a), _evidence(b))


def _evidence(prompt: Prompt) -> dict[str, Any]:
    """Give what a prompt weighs, in short: hundreds of weights say little one by one."""
    found = prompt.evidence
    if found is None:
        return {"words": 0}
    largest = {
        label: ", ".join(sorted(weights, key=lambda word: -abs(weights[word]))[:5])
        for label, weights in found.weights.items()
    }
    weights = sha256_text(canonical_json(found.model_dump(mode="json")))[:12]
    return {"words": len(found.words), "digest": weights} | {
        f"most for or against {label}": words for label, words in largest.items()
    }


def _member_changes(a: Sequence[Prompt], b: Sequence[Prompt]) -> Iterator[Change]:
    """Compare the further prompts of two ensembles place by place."""
    if len(a) != len(b):
        yield _changed("members", "prompts in all", len(a) + 1, len(b) + 1)
    for number, (one, other) in enumerate(zip(a, b, strict=False), start=2):
        for change in _prompt_changes(one, other):
            what = f"prompt {number}, {change.part}, {change.what}"
            yield replace(change, part="members", what=what)
    for at in range(len(b), len(a)):
        before = a[at].model_dump(mode="json")
        what = f"prompt {at + 2}"
        yield Change(part="members", what=what, kind="removed", before=before, after=None)
    for at in range(len(a), len(b)):
        after = b[at].model_dump(mode="json")
        what = f"prompt {at + 2}"
        yield Change(part="members", what=what, kind="added", before=None, after=after)


def _origin_changes(a: Artifact, b: Artifact) -> Iterator[Change]:
    yield from _fields("model", a.model.model_dump(), b.model.model_dump())
    yield from _fields("task", _task(a.task), _task(b.task))
    yield from _fields("search", a.search.model_dump(), b.search.model_dump())
    yield from _fields("versions", a.versions, b.versions)
    files = ({"schema_version": x.schema_version, "command": x.command} for x in (a, b))
    yield from _fields("file", *files)


def _fields(part: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    """Give the differences of two mappings; mappings in them are gone into."""
    one, other = dict(_flat(a)), dict(_flat(b))
    for what in dict.fromkeys([*one, *other]):
        before, after = one.get(what), other.get(what)
        if what not in other:
            yield Change(part=part, what=what, kind="removed", before=before, after=None)
        elif what not in one:
            yield Change(part=part, what=what, kind="added", before=None, after=after)
        elif before != after:
            yield _changed(part, what, before, after)


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            yield from _flat(item, f"{above}{key}.")
        else:
            yield f"{above}{key}", item


def _changed(part: str, what: str, before: Any, after: Any) -> Change:
    return Change(part=part, what=what, kind="changed", before=before, after=after)


def _sentences(prompt: Prompt) -> dict[str, str]:
    """Give the instruction's parts by their role; the second of a role is "role 2"."""
    named: dict[str, str] = {}
    for part in prompt.instruction:
        n = sum(other.role == part.role for other in prompt.instruction[: len(named)])
        named[f"{part.role} {n + 1}" if n else part.role] = part.text
    return named


def _order(a: Prompt, b: Prompt) -> Iterator[Change]:
    """Say so where the roles that both instructions have stand in another order."""
    one, other = list(_sentences(a)), list(_sentences(b))
    before = [role for role in one if role in other]
    after = [role for role in other if role in one]
    if before != after:
        yield _changed("instruction", "order", before, after)


def _demo_changes(a: Sequence[Demo], b: Sequence[Demo]) -> Iterator[Change]:
    """Give demos that went, came or moved: as few as a longest common run of demos leaves."""
    matcher = difflib.SequenceMatcher(a=_keys(a), b=_keys(b), autojunk=False)
    blocks = matcher.get_matching_blocks()
    gone = _outside(len(a), [(block.a, block.size) for block in blocks])
    come = _outside(len(b), [(block.b, block.size) for block in blocks])
    for at in list(gone):
        to = next((n for n in come if b[n] == a[at]), None)
        if to is not None:
            gone.remove(at)
            come.remove(to)
            yield Change(part="demos", what=a[at].text, kind="moved", before=at + 1, after=to + 1)
    for at in gone:
        what = f"demo {at + 1}"
        yield Change(part="demos", what=what, kind="removed", before=a[at].model_dump(), after=None)
    for at in come:
        what = f"demo {at + 1}"
        yield Change(part="demos", what=what, kind="added", before=None, after=b[at].model_dump())


def _keys(demos: Sequence[Demo]) -> list[tuple[str, str]]:
    return [(demo.text, demo.label) for demo in demos]


def _outside(n: int, blocks: Sequence[tuple[int, int]]) -> list[int]:
    inside = {at for start, size in blocks for at in range(start, start + size)}
    return [at for at in range(n) if at not in inside]


def _task(task: TaskRecord) -> dict[str, Any]:
    value = task.model_dump()
    return {**value, "labels": {label.name: label.meaning for label in task.labels}}
