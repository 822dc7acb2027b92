"""Four sentiment sets rated by people: film snippets, product snippets, tweets, editorials.

They come with vaderSentiment 0.5 (Hutto and Gilbert, ICWSM 2014). Owns the reading of that archive
and the turning of ratings into labels; fetching belongs to `modules.fetch`, splitting to `splits`.
"""

import io
import math
import tarfile
import zipfile
import zlib
from pathlib import Path

from modules.errors import UserError
from modules.fetch import Package, fetch
from modules.tasks.clean import clean_text
from modules.tasks.example import Example
from modules.tasks.loaded import Loaded

PACKAGE = Package(
    requirement="vaderSentiment==0.5",
    sha256="5d97c37f3ef6e24eef331122e055dbedafeb6a56abfce0608b326701116ea49a",
    filename="vaderSentiment-0.5.zip",
    source=True,
)
FILES = {
    "snippets": "movieReviewSnippets",
    "products": "amazonReviewSnippets",
    "tweets": "tweets",
    "editorials": "nytEditorialSnippets",
}
NEUTRAL = 0.5
"""Half a point on the scale from -4 to 4: the raters' mean does not establish a sign below it."""

_TAR = "vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz"
_MAX_RATING = 4.0
_UNREADABLE = (
    OSError,
    EOFError,
    KeyError,
    ValueError,
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
)


def load_vader(name: str, input_field: str, archive: Path | None = None) -> Loaded:
    """Load one of the four sets; a label is the sign of the raters' mean.

    Sentences rated within ±0.5, both ends included, are left out as `neutral`, and those without
    any text as `empty`. The rating stays on the example.

    Args:
        name: a key of `FILES`.
        input_field: the name under which the text stands in `Example.inputs`.
        archive: the zip file, when it is already at hand; else it is fetched once and cached.

    Raises:
        UserError: the archive cannot be had, or does not hold what it should.
    """
    path = fetch(PACKAGE) if archive is None else archive
    member = f"hutto_ICWSM_2014/{FILES[name]}_GroundTruth.txt"
    return parse_ratings(_read_member(path, member), input_field, where=member)


def parse_ratings(text: str, input_field: str, where: str) -> Loaded:
    """Turn lines of `id TAB mean rating TAB text` into examples.

    Raises:
        UserError: a line that has another shape, or a rating outside [-4, 4].
    """
    examples: list[Example] = []
    left_out = {"neutral": 0, "empty": 0}
    # not splitlines(): it would also split at \x85 and at U+2028, which can stand inside a text
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line]
    for number, line in enumerate(lines, start=1):
        rating, raw = _parse_line(line, f"line {number} of {where}")
        sentence = clean_text(raw.replace("''", '"'))  # the sources write '' for a quotation mark
        if abs(rating) <= NEUTRAL:
            left_out["neutral"] += 1
        elif not sentence:
            left_out["empty"] += 1
        else:
            label = "positive" if rating > 0 else "negative"
            examples.append(Example(inputs={input_field: sentence}, label=label, rating=rating))
    return Loaded(examples=tuple(examples), n_read=len(lines), left_out=left_out)


def _parse_line(line: str, where: str) -> tuple[float, str]:
    parts = line.split("\t", 2)
    try:
        rating = float(parts[1])
        sentence = parts[2]
    except (IndexError, ValueError) as error:
        raise UserError(
            f"a line must be an id, a rating and a text with tabs between; {where} is {line!r}"
        ) from error
    if math.isnan(rating) or abs(rating) > _MAX_RATING:
        raise UserError(f"a rating must lie in [-4, 4]; {where} has {parts[1]}")
    return rating, sentence


def _read_member(path: Path, member: str) -> str:
    try:
        with (
            zipfile.ZipFile(path) as outer,
            tarfile.open(fileobj=io.BytesIO(outer.read(_TAR)), mode="r:gz") as inner,
        ):
            file = inner.extractfile(member)
            if file is None:
                raise KeyError(member)
            return file.read().decode("utf-8")
    except _UNREADABLE as error:
        raise UserError(
            f"{path} must be the source archive of vaderSentiment 0.5 and hold {member}, "
            "which cannot be read; delete the file so that it is fetched again"
        ) from error
