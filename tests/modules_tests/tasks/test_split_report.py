"""The account: the interval in closed form, and the sentences word by word."""

import pytest

from modules.tasks.split_report import SplitReport, half_width


def test_half_width_solves_wilsons_equation() -> None:
    # an end p of the interval satisfies (0.9 - p)^2 = z^2 p (1 - p) / n
    n, z = 300, 1.959963984540054
    centre = (0.9 + z**2 / (2 * n)) / (1 + z**2 / n)
    for end in (centre - half_width(n), centre + half_width(n)):
        assert (0.9 - end) ** 2 == pytest.approx(z**2 * end * (1 - end) / n)


def test_half_width_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match="got 0 and"):
        half_width(0)
    with pytest.raises(ValueError, match=r"got 9 and 1\.1"):
        half_width(9, 1.1)


def test_lines() -> None:
    report = SplitReport(
        n_examples=2_500,
        n_duplicates=3,
        n_conflicting=2,
        near={"train": 1, "dev": 4, "test": 0},
        pools={"train": 300, "dev": 300, "test": 1_890},
        counts={
            "train": {"a": 100, "b": 200},
            "dev": {"a": 1, "b": 299},
            "test": {"a": 497, "b": 503},
        },
        data_hash="",
        n_read=3_000,
        left_out={"neutral": 500, "empty": 0},
    )
    assert report.sizes == {"train": 300, "dev": 300, "test": 1_000}
    assert report.lines() == [
        "read 3,000 rows, left out 500 neutral: 2,500 examples",
        "removed 3 exact duplicates, 2 with conflicting labels, 5 near duplicates of a row in "
        "another split (train 1, dev 4)",
        "train 300 (a 100, b 200): an accuracy of 90 % is known to ±3.4 points",
        "dev 300 (a 1, b 299): an accuracy of 90 % is known to ±3.4 points",
        "test 1,000 of 1,890 (a 497, b 503): an accuracy of 90 % is known to ±1.9 points",
    ]
    assert report.half_widths["test"] == half_width(1_000)
