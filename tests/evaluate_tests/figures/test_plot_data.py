"""What the other figures show, as numbers."""

import math
from typing import Any

import pandas as pd
import pytest

from evaluate.figures.confusions import confusion_data
from evaluate.figures.expectation import expectation_data
from evaluate.figures.margins import margin_data
from evaluate.figures.reliability import reliability_data
from evaluate.figures.shrinkage import shrinkage_data
from evaluate.figures.slices import slice_data
from evaluate.figures.transfer import transfer_data
from tests.evaluate_tests.figures import invented


def _bin(**changes: Any) -> dict[str, Any]:
    return {
        "model": "a",
        "prompt": "naive",
        "n": 20,
        "confidence": 0.75,
        "accuracy": 0.7,
        "low": 0.5,
        "high": 0.9,
        "left": 0.7,
        "right": 0.8,
    } | changes


def test_reliability_scales_each_bin_by_its_share_of_its_diagram() -> None:
    data = reliability_data(
        pd.DataFrame(
            [
                _bin(prompt="frozen", n=90),
                _bin(left=0.8, n=10),
                _bin(left=0.6, n=30),
                _bin(prompt="frozen", left=0.9, n=10, accuracy=0.58),
                _bin(left=0.2, n=0, accuracy=math.nan),
            ]
        )
    )
    assert data.bins["is_point"].all()
    assert data.bins["prompt"].tolist() == ["naive", "naive", "frozen", "frozen"]
    assert data.bins["left"].tolist() == [0.6, 0.8, 0.7, 0.9]
    # Shares 3/4, 1/4, 9/10, 1/10; the greatest of all is 9/10.
    assert data.bins["bar"].tolist() == pytest.approx([75 / 90, 25 / 90, 1, 1 / 9])
    assert data.low == 0.5


def test_reliability_gives_a_small_bin_a_bar_but_no_point() -> None:
    data = reliability_data(pd.DataFrame([_bin(n=9, left=0.1, accuracy=0.0), _bin(n=10)]))
    assert data.bins["n"].tolist() == [9, 10]
    assert data.bins["is_point"].tolist() == [False, True]
    assert data.low == 0.7
    assert reliability_data(pd.DataFrame([_bin(n=9)])).bins["is_point"].tolist() == [True]


def _slice(position: int, **changes: Any) -> dict[str, Any]:
    return {
        "model": "a",
        "prompt": "naive",
        "position": position,
        "left": float(position),
        "right": position + 1.0,
        "n": 30,
        "accuracy": 0.5,
        "low": 0.4,
        "high": 0.6,
    } | changes


def test_slices_put_models_side_by_side_and_ends_between() -> None:
    slices = [_slice(2, right=math.inf), _slice(1), _slice(1, model="b", prompt="frozen")]
    data = slice_data(pd.DataFrame(slices), scale=100)
    assert (data.models, data.prompts) == (("a", "b"), ("naive", "frozen"))
    assert data.points[["model", "x"]].to_numpy().tolist() == [
        ["a", 0.94],
        ["a", 1.94],
        ["b", 1.06],
    ]
    assert data.ends == {0.5: "100", 1.5: "200", 2.5: ""}
    assert data.limits == pytest.approx((0.3, 0.7))


def test_small_slices_are_left_out_unless_all_are_small() -> None:
    small, large = _slice(0, n=9, low=0.0), _slice(1, n=10)
    assert slice_data(pd.DataFrame([small, large])).points["position"].tolist() == [1]
    assert slice_data(pd.DataFrame([small])).points["position"].tolist() == [0]


def _flip(**changes: Any) -> dict[str, Any]:
    return {
        "model": "a",
        "prompt": "naive",
        "temperature": 0.8,
        "n_examples": 50,
        "flipped": 0.2,
        "expected": 0.3,
    } | changes


def test_margins_end_above_the_points_and_leave_small_bins_out() -> None:
    bins = [_flip(), _flip(temperature=0.2, expected=0.1), _flip(n_examples=3, flipped=0.9)]
    data = margin_data(pd.DataFrame(bins))
    assert data.temperatures == (0.2, 0.8)
    assert data.models == {"a": ("naive",)}
    assert data.top == pytest.approx(0.4)


def _cell(expected: float, **changes: Any) -> dict[str, Any]:
    return {
        "model": "a",
        "prompt": "naive",
        "temperature": 0.2,
        "accuracy": 0.5,
        "low": 0.4,
        "high": 0.6,
        "expected": expected,
    } | changes


def test_expectation_counts_the_intervals_that_hold_it() -> None:
    cells = [_cell(e) for e in (0.39, 0.4, 0.6, 0.61, 0.5, math.nan)]
    data = expectation_data(pd.DataFrame(cells))
    assert (len(data.cells), data.n_inside) == (5, 3)
    assert data.cells["expected"].is_monotonic_increasing
    assert data.reach == pytest.approx(0.21)
    assert data.limits == pytest.approx((0.3, 0.7))


def test_shrinkage_stands_in_the_order_of_the_splits() -> None:
    frame = invented.shrinking(("b", "a"))[::-1]
    data = shrinkage_data(frame)
    assert data.models == ("a", "b")
    assert data.points["split"].tolist() == ["dev", "confirm", "test"] * 2
    assert data.points["x"].tolist() == [0, 1, 2] * 2
    with pytest.raises(ValueError, match=r"one of .*, not \['train'\]"):
        shrinkage_data(frame.assign(split="train"))


def _matrix(*lines: list[int]) -> pd.DataFrame:
    return pd.DataFrame(list(lines), index=["no", "yes"], columns=["no", "yes", "invalid"])


def test_confusions_are_shares_of_their_line_and_hide_an_empty_column() -> None:
    clear = _matrix([3, 1, 0], [0, 0, 0])
    data = confusion_data({("b", "frozen"): clear, ("a", "naive"): clear, ("b", "naive"): clear})
    assert (data.names, data.titles) == (("b", "a"), (("frozen", "naive"), ("naive",)))
    assert data.answers == ("no", "yes")
    assert data.shares[0][0].tolist() == [0.75, 0.25]
    assert [math.isnan(share) for share in data.shares[0][1]] == [True, True]
    mixed = confusion_data({("a", "x"): clear, ("a", "y"): _matrix([2, 1, 1], [0, 4, 0])})
    assert mixed.answers == ("no", "yes", "invalid")
    assert mixed.shares[1].tolist() == [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]]


def test_confusions_need_the_same_labels() -> None:
    other = _matrix([1, 1, 1], [1, 1, 1]).rename(index={"no": "nein"})
    with pytest.raises(ValueError, match="matrices need the same labels"):
        confusion_data({("a", "x"): _matrix([1, 1, 1], [1, 1, 1]), ("a", "y"): other})


def _carried(model: str, owner: str, accuracy: float, **changes: Any) -> dict[str, Any]:
    line = {"model": model, "owner": owner, "is_reference": False, "accuracy": accuracy}
    return line | {"low": accuracy - 0.1, "high": accuracy + 0.1} | changes


def test_transfer_places_owners_in_the_order_of_the_models() -> None:
    data = transfer_data(
        pd.DataFrame(
            [
                _carried("b", "naive", 0.5, is_reference=True),
                _carried("b", "c", 0.8),
                _carried("b", "b", 1.0),
                _carried("a", "b", 0.75),
            ]
        )
    )
    assert (data.models, data.owners) == (("a", "b"), ("b", "c"))
    assert data.cells[["x", "y"]].to_numpy().tolist() == [[0, 1], [2.25, 1], [1.25, 1], [1.25, 0]]
    assert data.cells["is_own"].tolist() == [False, False, True, False]
    assert data.cells["heat"].tolist() == pytest.approx([0.0, 0.6, 1.0, 0.5])


def test_transfer_does_not_colour_noise() -> None:
    data = transfer_data(pd.DataFrame([_carried("a", "a", 0.80), _carried("a", "b", 0.82)]))
    assert data.cells["heat"].tolist() == pytest.approx([0.0, 0.2])
    assert data.cells["x"].tolist() == [0.0, 1.0]
    assert not data.has_reference


@pytest.mark.parametrize(
    ("compute", "columns"),
    [
        (reliability_data, [*_bin()]),
        (slice_data, [*_slice(0)]),
        (margin_data, [*_flip()]),
        (expectation_data, [*_cell(0.5)]),
        (shrinkage_data, ["model", "split", "accuracy", "low", "high"]),
        (transfer_data, [*_carried("a", "a", 0.5)]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_nothing_to_draw_is_said(compute: Any, columns: list[str]) -> None:
    with pytest.raises(ValueError, match="there is nothing to draw: no "):
        compute(pd.DataFrame(columns=columns))


def test_no_matrix_is_said() -> None:
    with pytest.raises(ValueError, match="there is nothing to draw: no configuration"):
        confusion_data({})
