"""Your own tables: each format, labels of every kind, and each mistake with its message."""

import json
import logging
from pathlib import Path

import pandas as pd
import pytest

from modules.errors import UserError
from modules.tasks.loaded import Loaded
from modules.tasks.table import label_names, load_table

_CSV = b"text,label\ngood,1\nbad,0\n"


def _load(path: Path) -> Loaded:
    return load_table(path, "text", "label", "text")


def _pairs(loaded: Loaded) -> list[tuple[str, str]]:
    return [(example.inputs["text"], example.label) for example in loaded.examples]


def _file(tmp_path: Path, name: str, data: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_each_format_gives_the_same_examples(tmp_path: Path) -> None:
    rows = [{"text": "good", "label": 1}, {"text": "bad", "label": 0}]
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    lines = "\n".join(map(json.dumps, rows)) + "\n\n"
    paths = [
        _file(tmp_path, "a.csv", _CSV),
        _file(tmp_path, "bom.CSV", b"\xef\xbb\xbf" + _CSV.replace(b"\n", b"\r\n")),
        _file(tmp_path, "a.jsonl", lines.encode()),
        tmp_path / "a.parquet",
    ]
    for path in paths:
        assert _pairs(_load(path)) == [("good", "1"), ("bad", "0")], path


def test_any_string_can_be_a_label(tmp_path: Path) -> None:
    labels = ["Very bad", "😀", "NA", "null", "01", 'a "b", c', "{x}"]
    rows = [{"text": f"text {i}", "label": label} for i, label in enumerate(labels)]
    pd.DataFrame(rows).to_csv(tmp_path / "a.csv", index=False)
    loaded = _load(tmp_path / "a.csv")
    assert [example.label for example in loaded.examples] == labels
    assert label_names(loaded.examples) == tuple(sorted(labels))


def test_labels_lose_the_spaces_around_them_and_texts_are_cleaned(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.csv", b'text,label\n"a<br>b\nc", x \nd,y\n')
    assert _pairs(_load(path)) == [("a b c", "x"), ("d", "y")]


def test_empty_texts_are_dropped_counted_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = b'{"text":null,"label":1}\n{"text":" ","label":1}\n{"text":"a","label":1}\n'
    path = _file(tmp_path, "a.jsonl", lines + b'{"text":"b","label":2}\n')
    with caplog.at_level(logging.WARNING):
        loaded = _load(path)
    assert _pairs(loaded) == [("a", "1"), ("b", "2")]
    assert loaded.left_out == {"empty": 2}
    assert "left out 2 rows" in caplog.text


_MANY = b"text,label\n" + b"".join(b"t,%d\n" % i for i in range(51))


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        pytest.param("a.xlsx", b"x", r"one of \.csv, \.jsonl, \.parquet; got 'a\.xlsx'", id="end"),
        pytest.param("a.csv", b"", "is empty", id="empty"),
        pytest.param("a.parquet", b"", "is empty", id="empty-parquet"),
        pytest.param("a.csv", b"text,label\n", "has none", id="header-only"),
        pytest.param("a.csv", b"txt,y\na,b\n", "no column 'text'.*columns are txt, y", id="column"),
        pytest.param("a.csv", b"text,label\na,x\nb,x\n", r"has 1 in 'label' \('x'\)", id="one"),
        pytest.param("a.csv", _MANY, "at most 50 labels.* has 51 in 'label'", id="many"),
        pytest.param("a.csv", b"\x89PNG\r\n\x1a\n", "line 1 of .* byte 0x89", id="png"),
        pytest.param("a.csv", b"text,label\na,x\ncaf\xe9,y\n", "line 3 .*0xe9", id="latin-1"),
        pytest.param("a.csv", "text,label".encode("utf-16"), "not: save .* UTF-8", id="utf-16"),
        pytest.param("a.csv", b"text,label\n\0\0,1\n", "zero bytes", id="zero-bytes"),
        pytest.param("a.csv", b"text,label\na,b,c\nd,e,f\n", "more fields than", id="comma"),
        pytest.param("a.csv", b"text,label\na,b\nc,d,e\n", "not a well-formed csv", id="ragged"),
        pytest.param("a.csv", b'text,label\n"a,b\n', "not a well-formed csv", id="open-quote"),
        pytest.param("a.csv", b"text,label\na,x\nb,\nc\n", "2 of 3 rows .* row 2", id="no-label"),
        pytest.param("a.jsonl", b'{"text":"a"}\n', "no column 'label'", id="no-key"),
        pytest.param(
            "a.jsonl",
            b'{"text":"a","label":"x"}\n{"text":"b","label":"\\ud800"}\n',
            "row 2 .* half a character",
            id="surrogate",
        ),
        pytest.param("a.jsonl", b'{"a":1}\n{"a"\n', "line 2 of", id="bad-json"),
        pytest.param("a.jsonl", b"[1]\n", "line 1 of .* is a list", id="no-object"),
        pytest.param("a.jsonl", b"[" * 100_000, "must be JSON; line 1", id="deep"),
        pytest.param(
            "a.jsonl", b'{"text":"a","label":["x"]}\n', r"row 1 of .* has \['x'\]", id="list-label"
        ),
        pytest.param(
            "a.jsonl", b'{"text":"a","label":NaN}\n', "1 of 1 rows .* row 1", id="nan-label"
        ),
        pytest.param("a.parquet", b"text,label\n", "not a readable parquet", id="not-parquet"),
    ],
)
def test_a_mistake_is_one_clear_sentence(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    path = _file(tmp_path, name, data)
    with pytest.raises(UserError, match=message):
        _load(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file .*no\.csv"):
        _load(tmp_path / "no.csv")
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(UserError, match=r"cannot read .*d\.csv: Is a directory"):
        _load(tmp_path / "d.csv")


def test_text_and_label_must_be_two_columns(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.csv", _CSV)
    with pytest.raises(UserError, match="both are 'text'"):
        load_table(path, "text", "text", "text")


def test_loaded_must_add_up() -> None:
    with pytest.raises(ValueError, match="3 rows read"):
        Loaded(examples=(), n_read=3, left_out={"empty": 2})
