"""Labelled tables: what was there stays to the byte, in its own format; else the nearest value."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.tables import Added, check_target, ending_of, open_table, write_labelled
from modules.errors import UserError

NEW = ("label", "confidence", "outcome")
ADDED = (
    Added("a, b", 0.1 + 0.2, "ok"),
    Added(None, None, "no_text"),
    Added('ñ"', None, "ok"),
)


def added_for(n_rows: int) -> Iterator[Added]:
    return (ADDED[n % 3] for n in range(n_rows))


def labelled(data: Path, out: Path, column: str = "text") -> Path:
    table = open_table(data, column, NEW)
    survey = table.survey()
    endings = ending_of(data), ending_of(out)
    check_target(survey, *endings)
    write_labelled(table, survey, endings, NEW, out, added_for(survey.n_rows))
    return out


def file(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize(
    ("data", "written"),
    [
        (
            b"\xef\xbb\xbfn,text\r\n007, x \r\n",
            '\ufeffn,text,label,confidence,outcome\r\n007, x ,"a, b",0.30000000000000004,ok\r\n',
        ),
        (
            b'text,n\n"a\n""b""",\n"",""\nc,1',
            'text,n,label,confidence,outcome\n"a\n""b""",,"a, b",0.30000000000000004,ok\n'
            '"","",,,no_text\nc,1,"ñ""",,ok',
        ),
    ],
    ids=["bom-crlf-zeros", "quotes-empty-missing-no-end"],
)
def test_csv_stays_to_the_byte(tmp_path: Path, data: bytes, written: str) -> None:
    out = labelled(file(tmp_path, "a.csv", data), tmp_path / "b.csv")
    assert out.read_bytes() == written.encode()


def test_tsv_has_its_own_delimiter(tmp_path: Path) -> None:
    out = labelled(file(tmp_path, "a.tsv", b"text\tn\na, b\t1\n"), tmp_path / "b.tsv")
    assert out.read_bytes().splitlines()[1] == b"a, b\t1\ta, b\t0.30000000000000004\tok"


def test_jsonl_stays_to_the_byte(tmp_path: Path) -> None:
    lines = ['{"text": "\\u00e9\\ud800", "x": 1.50, "x": 1e400 }', "", "{}", '{"text":"b"}\r', ""]
    out = labelled(file(tmp_path, "a.jsonl", "\n".join(lines).encode()), tmp_path / "b.jsonl")
    assert out.read_bytes().decode() == (
        '{"text": "\\u00e9\\ud800", "x": 1.50, "x": 1e400, '
        '"label": "a, b", "confidence": 0.30000000000000004, "outcome": "ok"}\n'
        '{"label": null, "confidence": null, "outcome": "no_text"}\n'
        '{"text":"b", "label": "ñ\\"", "confidence": null, "outcome": "ok"}\r\n'
    )


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
ROWS = st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5)


def csv_text(rows: Sequence[Sequence[str]], quoting: int) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=quoting).writerows([("text", "n"), *rows])  # type: ignore[arg-type]
    return out.getvalue()


@given(rows=ROWS, quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_csv_in_the_words_of_the_standard_reader(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], quoting: int
) -> None:
    """Whatever the cells hold, the csv module reads the same cells with the new ones behind."""
    folder = tmp_path_factory.mktemp("t")
    data = file(folder, "a.csv", csv_text(rows, quoting).encode())
    out = labelled(data, folder / "b.csv").read_bytes().decode()
    before = list(csv.reader(io.StringIO(csv_text(rows, quoting), newline="")))
    after = list(csv.reader(io.StringIO(out, newline="")))
    assert [row[:-3] for row in after] == before
    assert after[1][-3:] == ["a, b", "0.30000000000000004", "ok"]


@given(rows=ROWS)
def test_from_csv_to_the_others(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("t")
    data = file(folder, "a.csv", csv_text(rows, csv.QUOTE_ALL).encode())
    lines = labelled(data, folder / "b.jsonl").read_bytes().decode().split("\n")[:-1]
    assert [(row["text"], row["n"]) for row in map(json.loads, lines)] == rows
    table = pq.read_table(labelled(data, folder / "b.parquet"))
    assert table.column_names == ["text", "n", *NEW]
    assert list(zip(*table.select(["text", "n"]).to_pydict().values(), strict=True)) == rows
    assert table["label"][0].as_py() == "a, b"


JSON_ROWS: list[dict[str, Any]] = [
    {"text": "a", "i": 1, "f": 1, "b": True, "m": 1, "s": "", "l": 2**60, "x": None},
    {"text": "b\n", "i": -2, "f": 0.5, "b": None, "m": "y", "d": {"k": [1, "é"]}, "l": 1},
]


def test_from_jsonl_to_parquet_has_types(tmp_path: Path) -> None:
    data = file(tmp_path, "a.jsonl", "\n".join(map(json.dumps, JSON_ROWS)).encode())
    table = pq.read_table(labelled(data, tmp_path / "b.parquet"))
    assert [str(field.type) for field in table.schema] == [
        *("string", "int64", "double", "bool", "string", "string", "int64", "null", "string"),
        *("string", "double", "string"),
    ]
    one, two = table.to_pylist()
    assert (one["i"], one["f"], one["b"], one["m"], one["l"]) == (1, 1.0, True, "1", 2**60)
    assert (two["f"], two["m"], two["d"], two["s"]) == (0.5, '"y"', '{"k": [1, "é"]}', None)


def test_from_jsonl_to_csv_tells_empty_from_missing(tmp_path: Path) -> None:
    data = file(tmp_path, "a.jsonl", "\n".join(map(json.dumps, JSON_ROWS)).encode())
    written = labelled(data, tmp_path / "b.csv").read_bytes().decode()
    assert written.splitlines()[0] == "text,i,f,b,m,s,l,x,d,label,confidence,outcome"
    assert 'a,1,1,true,1,"",1152921504606846976,,,"a, b",0.30000000000000004,ok\n' in written
    assert '"b\n",-2,0.5,,y,,1,,"{""k"": [1, ""é""]}",,,no_text\n' in written


PARQUET = pa.table(
    {
        "text": pa.array(["a", None, "c"]).dictionary_encode(),
        "i8": pa.array([1, None, 3], pa.int8()),
        "day": [date(2026, 1, 2), None, None],
        "f": [float("nan"), float("inf"), 0.1],
        "nested": [[{"k": 1.5}], None, []],
    }
).replace_schema_metadata({"mine": "kept"})


def test_parquet_keeps_types_values_and_metadata(tmp_path: Path) -> None:
    pq.write_table(PARQUET, tmp_path / "a.parquet")
    out = labelled(tmp_path / "a.parquet", tmp_path / "b.parquet")
    table = pq.read_table(out)
    before = pq.read_table(tmp_path / "a.parquet").schema
    assert table.select(before.names).schema.equals(before, check_metadata=True)
    for name in PARQUET.column_names:  # NaN is unlike itself
        assert repr(table[name].to_pylist()) == repr(PARQUET[name].to_pylist())
    assert table["confidence"].to_pylist() == [0.1 + 0.2, None, None]
    first = out.read_bytes()
    assert labelled(tmp_path / "a.parquet", tmp_path / "c.parquet").read_bytes() == first


def test_from_parquet_to_text(tmp_path: Path) -> None:
    pq.write_table(PARQUET, tmp_path / "a.parquet")
    written = labelled(tmp_path / "a.parquet", tmp_path / "b.csv").read_bytes().decode()
    assert written.split("\n")[1].startswith('a,1,2026-01-02,NaN,"[{""k"": 1.5}]",')
    assert written.split("\n")[2] == ",,,Infinity,,,,no_text"
    lines = labelled(tmp_path / "a.parquet", tmp_path / "b.jsonl").read_bytes().splitlines()
    assert json.loads(lines[0]) == {
        **{"text": "a", "i8": 1, "day": "2026-01-02", "f": None, "nested": [{"k": 1.5}]},
        **dict(zip(NEW, ADDED[0], strict=True)),
    }


def test_row_groups_have_a_bounded_size(tmp_path: Path) -> None:
    n = 70_000
    pq.write_table(pa.table({"text": ["x"] * n}), tmp_path / "a.parquet", row_group_size=100)
    metadata = pq.read_metadata(labelled(tmp_path / "a.parquet", tmp_path / "b.parquet"))
    sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert sum(sizes) == n
    assert 65_536 <= sizes[0] < 67_000
    assert len(sizes) == 2


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"text,x,x\na,1,2\n", "has two columns 'x', which a .parquet file cannot"),
        ("a.jsonl", b'{"text": "\\ud800"}', "line 1 of .* has half a surrogate pair"),
    ],
)
def test_what_another_format_cannot(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    path = file(tmp_path, name, data)
    labelled(path, tmp_path / f"own{path.suffix}")
    with pytest.raises(UserError, match=message):
        labelled(path, tmp_path / "b.parquet")


def test_text_has_no_bytes(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a"], "x": [b"\xff"]}), tmp_path / "a.parquet")
    labelled(tmp_path / "a.parquet", tmp_path / "own.parquet")
    with pytest.raises(UserError, match=r"the column 'x' of .* holds bytes, which a \.csv file"):
        labelled(tmp_path / "a.parquet", tmp_path / "b.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
@pytest.mark.parametrize("n_added", [1, 3])
@pytest.mark.parametrize("target", [".csv", ".jsonl", ".parquet"])
def test_as_many_additions_as_rows(tmp_path: Path, name: str, n_added: int, target: str) -> None:
    path = tmp_path / name
    match path.suffix:
        case ".csv":
            path.write_bytes(b"text\na\nb\n")
        case ".jsonl":
            path.write_bytes(b'{"text": "a"}\n{"text": "b"}\n')
        case _:
            pq.write_table(pa.table({"text": ["a", "b"]}), path)
    table = open_table(path, "text", NEW)
    endings = ending_of(path), target
    with pytest.raises(ValueError, match=r"additions than rows|zip\(\)"):
        write_labelled(
            table, table.survey(), endings, NEW, tmp_path / f"b{target}", added_for(n_added)
        )
