"""The labelled pool: all that is not held out, and nothing that is."""

from pathlib import Path

import pandas as pd
import pytest

from modules.errors import UserError
from modules.tasks import SplitSizes, TaskSpec, load_task
from modules.tasks.example import Task
from modules.tasks.leak import refuse_leak
from modules.tasks.pool import labelled_pool
from modules.tasks.splits import split_of

SIZES = SplitSizes(train=10, dev=8, confirm=6, test=30)


def _table(path: Path, n: int = 300) -> Path:
    rows = [
        {"text": " ".join(f"w{i}x{j}" for j in range(6)), "label": "ab"[i % 2]} for i in range(n)
    ]
    # the same texts again but for case: near duplicates, which lie in splits of their own
    rows += [row | {"text": row["text"].upper()} for row in rows[:100]]
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def _task(table: Path, sizes: SplitSizes = SIZES, seed: int = 0) -> Task:
    return load_task(TaskSpec(name="file", data=table, sizes=sizes), seed)[0]


@pytest.mark.parametrize("seed", [0, 5])
def test_it_holds_the_lower_half_and_no_more(tmp_path: Path, seed: int) -> None:
    table = _table(tmp_path / "a.csv")
    task = _task(table, seed=seed)
    pool = labelled_pool(task.source, seed, test_hash=task.splits.test.digest)
    ids = [example.id for example in pool]
    seen = (*task.splits.train, *task.splits.dev, *task.splits.confirm)
    assert len(set(ids)) == len(ids) > len(seen)
    assert {example.id for example in seen} < set(ids)
    assert {split_of(seed, example_id) for example_id in ids} == {"train", "dev", "confirm"}
    # a slow count of what must be left: lower-half rows whose twin is not in a greater split
    order = ("train", "dev", "confirm", "test")
    whole = _all_ids(table)
    left = {
        one
        for one, twin in whole.items()
        if (place := order.index(split_of(seed, one))) < 3
        and (twin is None or order.index(split_of(seed, twin)) <= place)
    }
    assert set(ids) == left


def _all_ids(table: Path) -> dict[str, str | None]:
    """Give every row's id, with the id of its near duplicate."""
    from modules.tasks.example import Example

    texts = list(pd.read_csv(table)["text"])
    ids = {text: Example(inputs={"text": text}, label="a").id for text in texts}
    twins = {text: text.lower() if text.isupper() else text.upper() for text in texts}
    return {ids[text]: ids.get(twins[text]) for text in texts}


def test_no_test_example_is_near_it(tmp_path: Path) -> None:
    table = _table(tmp_path / "a.csv")
    task = _task(table)
    pool = labelled_pool(task.source, 0)
    unbounded = _task(table, SplitSizes(train=999, dev=999, confirm=999, test=999))
    # even the test examples that the upper bound left out
    assert unbounded.splits.test.n > task.splits.test.n
    refuse_leak(pool, unbounded.splits.test._examples, what="the pool")


def test_data_that_changed_is_refused(tmp_path: Path) -> None:
    task = _task(_table(tmp_path / "a.csv"))
    _table(tmp_path / "a.csv", n=301)
    pool = labelled_pool(task.source, 0)
    assert len(pool) > 0
    _table(tmp_path / "a.csv", n=200)
    with pytest.raises(UserError, match=r"the data of the task file-a changed: .* and was"):
        labelled_pool(task.source, 0, test_hash=task.splits.test.digest)


def test_another_seed_is_another_pool(tmp_path: Path) -> None:
    task = _task(_table(tmp_path / "a.csv"))
    with pytest.raises(UserError, match="a pool must go with its test split"):
        labelled_pool(task.source, 1, test_hash=task.splits.test.digest)
