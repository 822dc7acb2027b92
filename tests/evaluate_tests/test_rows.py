"""The schema of the rows, its checks, and the Parquet file."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.rows import COLUMNS, frame, load, save
from modules.errors import UserError
from tests.evaluate_tests.records import INVALID, LM_ERROR, WRONG, record

MIXED = [
    record(),
    record(example_id="e2", **WRONG),
    record(example_id="e3", decoding="generate", temperature=0.8, seed=7, **INVALID),
    record(example_id="e4", **LM_ERROR),
]


def test_frame_has_exactly_the_columns_and_dtypes_of_the_table() -> None:
    rows = frame(MIXED)
    assert list(rows.columns) == list(COLUMNS)
    assert rows.dtypes.astype(str).to_dict() == {
        "task": "str",
        "model": "str",
        "prompt": "str",
        "prompt_id": "str",
        "decoding": "str",
        "temperature": "float64",
        "seed": "int64",
        "example_id": "str",
        "gold": "str",
        "answer": "str",
        "outcome": "str",
        "correct": "bool",
        "probabilities": "object",
        "confidence": "float64",
        "p_gold": "float64",
        "p_correct": "float64",
        "text": "str",
        "n_input_tokens": "int64",
        "n_output_tokens": "int64",
    }


def test_an_empty_frame_has_the_same_dtypes() -> None:
    assert len(frame([])) == 0
    pd.testing.assert_series_equal(frame([]).dtypes, frame(MIXED).dtypes)


def test_order_of_records_is_kept_and_order_of_columns_is_fixed() -> None:
    backwards = [dict(reversed(one.items())) for one in reversed(MIXED)]
    rows = frame(backwards)
    assert rows["example_id"].tolist() == ["e4", "e3", "e2", "e1"]
    assert list(rows.columns) == list(COLUMNS)


def test_numpy_values_become_plain_ones() -> None:
    given_numpy = record(
        seed=np.int64(0),
        correct=np.bool_(True),
        p_gold=np.float64(0.75),
        temperature=0,
        probabilities=np.array([0.25, 0.75]),
    )
    pd.testing.assert_frame_equal(frame([given_numpy]), frame([record()]))
    assert type(frame([given_numpy])["probabilities"][0]) is list


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        pytest.param({"seconds": 1.0}, r"row 1: missing \[\], unknown \['seconds'\]", id="unknown"),
        pytest.param({"seed": 1.0}, r"row 1: seed must be int, not 1.0 \(float\)", id="float-seed"),
        pytest.param({"seed": True}, "row 1: seed must be int, not True", id="bool-seed"),
        pytest.param({"seed": None}, "row 1: seed must be int, not None", id="null-seed"),
        pytest.param({"task": None}, "row 1: task must be str, not None", id="null-task"),
        pytest.param({"task": 3}, "row 1: task must be str, not 3", id="int-task"),
        pytest.param({"correct": 1}, "row 1: correct must be bool, not 1", id="int-correct"),
        pytest.param({"p_gold": None}, "row 1: p_gold must be float, not None", id="null-float"),
        pytest.param(
            {"probabilities": [0.5, "x"]}, "row 1: probabilities must be float, not 'x'", id="list"
        ),
        pytest.param(
            {"probabilities": 0.5}, "probabilities must be list of float or null", id="no-list"
        ),
        pytest.param({"decoding": "greedy"}, "row 1: decoding must be one of", id="decoding"),
        pytest.param({"outcome": "crashed"}, "row 1: outcome must be one of", id="outcome"),
        pytest.param({"temperature": -0.5}, "temperature must be finite", id="negative"),
        pytest.param({"temperature": math.nan}, "temperature must be finite", id="nan"),
        pytest.param({"temperature": math.inf}, "temperature must be finite", id="inf"),
        pytest.param({"probabilities": [1.0, math.nan]}, "must be finite", id="nan-in-list"),
        pytest.param({"answer": None}, "not None beside 'ok'", id="ok-without-answer"),
        pytest.param({"outcome": "invalid"}, "not 'positive' beside 'invalid'", id="with-answer"),
        pytest.param(
            {"outcome": "lm_error", "answer": None}, "correct must be False", id="correct-error"
        ),
        pytest.param({"text": "\ud800"}, "surrogates not allowed", id="surrogate"),
    ],
)
def test_a_broken_record_is_refused(broken: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        frame([record(), record(**broken)])


def test_a_missing_column_is_refused() -> None:
    short = record()
    del short["gold"]
    with pytest.raises(ValueError, match=r"row 0: missing \['gold'\], unknown \[\]"):
        frame([short])
    with pytest.raises(ValueError, match=r"the frame: missing \['gold'\]"):
        save(frame(MIXED).drop(columns="gold"), Path("never-written"))


@pytest.mark.parametrize("records", [MIXED, MIXED[3:], []], ids=["mixed", "all-null", "empty"])
def test_load_after_save_is_the_identity(records: list[dict[str, object]], tmp_path: Path) -> None:
    rows = frame(records)
    save(rows, tmp_path / "rows.parquet")
    pd.testing.assert_frame_equal(load(tmp_path / "rows.parquet"), rows)


_NUMBERS = st.floats(allow_infinity=False)
_PARTS = st.none() | st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(text=st.none() | _TEXTS, p_gold=_NUMBERS, parts=_PARTS)
def test_any_value_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory,
    text: str | None,
    p_gold: float,
    parts: list[float] | None,
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.parquet"
    rows = frame([record(text=text, p_gold=p_gold, probabilities=parts)])
    save(rows, path)
    pd.testing.assert_frame_equal(load(path), rows, check_exact=True)


def test_equal_rows_give_equal_bytes_and_nothing_is_left_beside_them(tmp_path: Path) -> None:
    save(frame(MIXED), tmp_path / "a.parquet")
    save(frame(MIXED).set_index(pd.Index([9, 8, 7, 6])), tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "b.parquet"]


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "seed=3"
    folder.mkdir()
    save(frame(MIXED), folder / "rows.parquet")
    assert load(folder / "rows.parquet")["seed"].tolist() == [0, 0, 7, 0]


def test_a_refused_frame_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    save(frame(MIXED), path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="outcome must be one of"):
        save(frame(MIXED).assign(outcome="crashed"), path)
    assert path.read_bytes() == before


def test_a_missing_or_broken_file_is_the_users_mistake(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    with pytest.raises(UserError, match=r"cannot read rows from .*rows\.parquet"):
        load(path)
    with pytest.raises(UserError, match="cannot read rows"):
        load(tmp_path)
    path.write_bytes(b"not parquet at all")
    with pytest.raises(UserError, match="cannot read rows"):
        load(path)
    save(frame(MIXED), path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UserError, match="cannot read rows"):
        load(path)


def _rewrite(path: Path, change: dict[bytes, bytes], drop: str | None = None) -> None:
    table = pq.read_table(path)
    table = table if drop is None else table.drop_columns(drop)
    pq.write_table(table.replace_schema_metadata(change), path)


@pytest.mark.parametrize(
    ("metadata", "drop", "message"),
    [
        pytest.param({b"burnish_rows": b"3"}, None, "version 3; .* up to 2", id="newer"),
        pytest.param({b"burnish_rows": b"2"}, "gold", "does not hold Burnish rows", id="column"),
        pytest.param({}, None, "does not hold Burnish rows", id="foreign"),
    ],
)
def test_a_foreign_or_newer_file_is_refused(
    metadata: dict[bytes, bytes], drop: str | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "rows.parquet"
    save(frame(MIXED), path)
    _rewrite(path, metadata, drop)
    with pytest.raises(UserError, match=message):
        load(path)


def test_a_file_with_our_schema_and_bad_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    save(frame(MIXED), path)
    table = pq.read_table(path)
    place = table.schema.get_field_index("task")
    nulls = pa.array([None] * 4, pa.string())
    pq.write_table(table.set_column(place, table.schema.field("task"), nulls), path)
    with pytest.raises(UserError, match="row 0: task must be str, not None"):
        load(path)


def test_version_1_had_no_p_correct(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    save(frame(MIXED), path)
    _rewrite(path, {b"burnish_rows": b"1"}, "p_correct")
    rows = load(path)
    assert rows["p_correct"].isna().all()
    pd.testing.assert_frame_equal(
        rows.drop(columns="p_correct"), frame(MIXED).drop(columns="p_correct")
    )
    _rewrite(path, {b"burnish_rows": b"2"}, None)  # says 2, and lacks the column
    with pytest.raises(UserError, match="does not hold Burnish rows"):
        load(path)
