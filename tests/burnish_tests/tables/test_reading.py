"""Tables in a stream: texts and values as they stand, and every mistake with its line."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.tables import Survey, Table, csv_table, open_stream, open_table
from modules.errors import UserError

NEW = ("label", "confidence", "outcome")


def table_of(folder: Path, name: str, data: bytes, column: str = "text") -> Table:
    path = folder / name
    path.write_bytes(data)
    return open_table(path, column, NEW)


def parquet_of(folder: Path, columns: dict[str, Any], column: str = "text") -> Table:
    path = folder / "a.parquet"
    pq.write_table(pa.table(columns), path)
    return open_table(path, column, NEW)


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (b"text,n\na,1\nb,2\n", ["a", "b"]),
        (b"n,text\n1,a\n2,b", ["a", "b"]),
        (b"text,n\r\na,1\r\nb,2\r\n", ["a", "b"]),
        (b"text,n\ra,1\rb,2\r", ["a", "b"]),
        (b'\xef\xbb\xbf"text",n\na,1\n', ["a"]),
        (b'text,n\n"a\r\n\n""b"", c",1\n', ['a\r\n\n"b", c']),
        (b'text\na\n\n""\n\n', ["a", ""]),
        (b"text,n\n,1\n NA ,2\n", ["", " NA "]),
        ("text,n\nñ😀\u2028x,1\n".encode(), ["ñ😀\u2028x"]),
    ],
    ids=[
        "plain",
        "no-end",
        "crlf",
        "cr",
        "bom-quoted",
        "breaks-in-cells",
        "blank-lines",
        "empty",
        "unicode",
    ],
)
def test_csv_texts(tmp_path: Path, data: bytes, texts: list[str]) -> None:
    table = table_of(tmp_path, "a.csv", data)
    assert list(table.texts()) == texts
    assert table.survey().n_rows == len(texts)
    assert list(table.texts()) == texts  # again


def test_tabs_and_an_ending_in_capitals(tmp_path: Path) -> None:
    table = table_of(tmp_path, "a.TSV", b"n\ttext\n1\ta, b\n")
    assert list(table.texts()) == ["a, b"]
    assert list(table.values()) == [["1", "a, b"]]


def test_jsonl_texts(tmp_path: Path) -> None:
    lines = [
        '\ufeff{"text": "a\\u00e9\\n"}',
        "  ",
        '{"n": 1}\r',
        '{"text": null}',
        '{"text": 1.50, "n": [1]}',
        '{"text": NaN}',
        '{"text": "\u2028"}',
    ]
    table = table_of(tmp_path, "a.jsonl", "\n".join(lines).encode())
    assert list(table.texts()) == ["aé\n", "", "", "1.5", "", "\u2028"]
    assert table.survey() == Survey(6, {"text": "json", "n": "json"})


def test_parquet_texts(tmp_path: Path) -> None:
    kinds = pa.array(["a", None, "b"]).dictionary_encode()
    assert list(parquet_of(tmp_path, {"text": kinds}).texts()) == ["a", "", "b"]
    numbers = parquet_of(tmp_path, {"text.x": [1, None, 2]}, "text.x")
    assert list(numbers.texts()) == ["1", "", "2"]
    many = parquet_of(tmp_path, {"text": [str(i) for i in range(5000)]})
    assert list(many.texts()) == [str(i) for i in range(5000)]
    assert many.survey().n_rows == 5000


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=6),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_csv_reads_what_pandas_wrote(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], end: str
) -> None:
    frame = pd.DataFrame(rows, columns=["x", "text", "y"])
    written = frame.to_csv(index=False, lineterminator=end, quoting=1)
    table = table_of(tmp_path_factory.mktemp("t"), "a.csv", written.encode())
    assert list(table.texts()) == [row[1] for row in rows]
    assert list(table.values()) == [list(row) for row in rows]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", b"\n\n", "a.csv is empty"),
        ("a.csv", b"text,n\n", "has none"),
        ("a.csv", b"body,n\na,1\n", r"has no column 'text'; its columns are 'body', 'n'; name one"),
        ("a.csv", b"text;n\na;1\n", "its columns are 'text;n'"),
        ("a.csv", b"\x1b]0;x\x07,n\na,1\n", r"columns are '\\x1b\]0;x\\x07', 'n'"),
        ("a.csv", b"text,text\na,1\n", "has two columns 'text'"),
        ("a.csv", b"text,label\na,1\n", "already has the column 'label'.*--prefix"),
        ("a.csv", b"text,n\na,1\nb\n", "the header's 2 cells; line 3 of .* has 1"),
        ("a.csv", b'text,n\n"a\nb",1\nb,c,2\n', "line 4 of .* has 3: quote cells"),
        ("a.csv", b'text,n\na,1\n"b,2\nc,3\n', "the row on line 3: unexpected end of data"),
        ("a.csv", b'text,n\n"a"b,1\n', "the row on line 2: "),
        ("a.csv", b"text,n\na,1\nb\xe9,2\n", "line 3 of .* has the byte 0xe9, which is not"),
        ("a.csv", "text,n\na,1\n".encode("utf-16"), "must be UTF-8 text; line 1"),
        ("a.csv", b"text,n\na\0,1\n", "line 2 of .* has a zero byte"),
        ("a.jsonl", b"\n \n", "a.jsonl is empty"),
        ("a.jsonl", b'{"text": 1}\n{"text"\n', "must be JSON; line 2 of"),
        ("a.jsonl", b'{"text": 1}\n[1]\n', "line 2 of .* is a list"),
        ("a.jsonl", b"[" * 100_000, "must be JSON; line 1"),
        ("a.jsonl", b'{"n": 1}\n{"body": 1}', "no column 'text'; its columns are 'n', 'body'"),
        ("a.jsonl", b'{"text": 1}\n{"label": 1}', "line 2 of .* already has the key 'label'"),
        ("a.jsonl", b'{"text": 1}\n{"text": {}}', "line 2 of .* has a dict in 'text'"),
        ("a.jsonl", b'{"text": "\xe9"}', "line 1 of .* has the byte 0xe9"),
        ("a.parquet", b"text\n", "not a readable parquet file"),
    ],
)
def test_a_mistake_says_where_it_is(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        table_of(tmp_path, name, data).survey()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": pa.array([], pa.string())}, "has none"),
        ({"body": ["a"]}, "has no column 'text'; its columns are 'body'"),
        ({"text": ["a"], "outcome": ["b"]}, "already has the column 'outcome'"),
        ({"text": [["a"]]}, r"holds list<"),
        ({"text": [b"a"]}, "holds binary"),
    ],
)
def test_a_mistake_in_parquet(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parquet_of(tmp_path, columns).survey()


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file .*no\.csv"):
        open_table(tmp_path / "no.csv", "text", NEW)
    with pytest.raises(UserError, match=r"one of \.csv, \.tsv, \.jsonl, \.parquet; got 'a\.xlsx'"):
        open_table(tmp_path / "a.xlsx", "text", NEW)
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(UserError, match="not a regular file"):
        open_table(tmp_path / "d.csv", "text", NEW)


def test_a_quote_that_is_never_closed_does_not_read_on_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_table, "_MAX_CELL_CHARS", 1_000)
    data = b'text\n"a\n' + b"b\n" * 1_000
    with pytest.raises(UserError, match="the row on line 2: field larger than"):
        table_of(tmp_path, "a.csv", data).survey()


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    rows = [{"n": "1", "text": "a\nb"}, {"n": "2", "text": "ñ"}]
    frame = pd.DataFrame(rows)
    data = frame.to_csv(index=False) if ending == ".csv" else "\n".join(map(json.dumps, rows))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data.encode())))
    table = open_stream(ending, "text", NEW)
    header, records = table.open()
    assert [table.text(record, header) for record in records] == ["a\nb", "ñ"]
