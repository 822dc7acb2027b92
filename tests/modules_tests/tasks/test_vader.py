"""The rated sets: labels from ratings, archive reading, and the real archive's counts."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from modules.errors import UserError
from modules.fetch import fetch
from modules.tasks.vader import FILES, PACKAGE, load_vader, parse_ratings

_TAR = "vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz"


def _archive(path: Path, files: dict[str, str]) -> Path:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as inner:
        for name, text in files.items():
            member = tarfile.TarInfo(f"hutto_ICWSM_2014/{name}_GroundTruth.txt")
            member.size = len(text.encode())
            inner.addfile(member, io.BytesIO(text.encode()))
    with zipfile.ZipFile(path, "w") as outer:
        outer.writestr(_TAR, packed.getvalue())
    return path


def test_a_label_is_the_sign_and_neutral_is_left_out_with_both_ends() -> None:
    ratings = ["0.5", "-0.5", "0", "0.51", "-0.51", "4", "-4"]
    text = "".join(f"{i}\t{rating}\ttext {i}\r\n" for i, rating in enumerate(ratings))
    loaded = parse_ratings(text, "review", where="here")
    assert [(e.inputs["review"], e.label, e.rating) for e in loaded.examples] == [
        ("text 3", "positive", 0.51),
        ("text 4", "negative", -0.51),
        ("text 5", "positive", 4.0),
        ("text 6", "negative", -4.0),
    ]
    assert loaded.n_read == 7
    assert loaded.left_out == {"neutral": 3, "empty": 0}


def test_texts_are_cleaned_and_two_apostrophes_are_a_quotation_mark() -> None:
    loaded = parse_ratings("1\t2\tThe ''new'' one &amp;\tmore\r\n2\t2\t \r\n", "t", where="here")
    assert [example.inputs["t"] for example in loaded.examples] == ['The "new" one & more']
    assert loaded.left_out == {"neutral": 0, "empty": 1}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("1\t2", "line 1 of here is", id="two-fields"),
        pytest.param("1\tgood\ttext", "line 1 of here is", id="no-number"),
        pytest.param("1\tnan\ttext", r"must lie in \[-4, 4\].*nan", id="nan"),
        pytest.param("1\t4.1\ttext", r"must lie in \[-4, 4\].*4\.1", id="too-large"),
    ],
)
def test_a_broken_line_is_named(line: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_ratings(line, "review", where="here")


def test_reads_the_archive_in_memory(tmp_path: Path) -> None:
    path = _archive(tmp_path / "a.zip", {"tweets": "1\t1.5\tcafé\r\n2\t-1\tno"})
    loaded = load_vader("tweets", "tweet", archive=path)
    assert [(e.inputs["tweet"], e.label) for e in loaded.examples] == [
        ("café", "positive"),
        ("no", "negative"),
    ]
    assert [item.name for item in tmp_path.iterdir()] == ["a.zip"]


def test_a_missing_member_or_a_broken_archive_is_a_user_error(tmp_path: Path) -> None:
    path = _archive(tmp_path / "a.zip", {"tweets": "1\t1.5\ta"})
    with pytest.raises(UserError, match="movieReviewSnippets_GroundTruth"):
        load_vader("snippets", "review", archive=path)
    (tmp_path / "b.zip").write_bytes(b"no zip")
    with pytest.raises(UserError, match=r"b\.zip must be the source archive"):
        load_vader("tweets", "tweet", archive=tmp_path / "b.zip")


@pytest.mark.network
@pytest.mark.parametrize(
    ("name", "n_read"),  # the numbers of lines in the authors' read-me
    [("snippets", 10_605), ("products", 3_708), ("tweets", 4_200), ("editorials", 5_190)],
)
def test_the_real_archive(name: str, n_read: int) -> None:
    loaded = load_vader(name, "text", archive=fetch(PACKAGE))
    assert name in FILES
    assert loaded.n_read == n_read
    assert {example.label for example in loaded.examples} == {"negative", "positive"}
    assert all(
        "&amp;" not in e.inputs["text"] and "''" not in e.inputs["text"] for e in loaded.examples
    )
