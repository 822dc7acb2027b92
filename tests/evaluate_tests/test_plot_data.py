"""What the plot shows, as numbers."""

import math

import pandas as pd
import pytest

from evaluate.plot_data import plot_data
from tests.evaluate_tests.records import summary_line, summary_of

BASELINE = summary_line(model="majority class", prompt="-", decoding="classifier", accuracy=0.55)


def _grid() -> pd.DataFrame:
    """Give two models, both prompts, `choose` at 0 and 0.8, `generate` at 0.8, one baseline."""
    return summary_of(
        *(
            summary_line(model=model, prompt=prompt, decoding=decoding, temperature=temperature)
            for model in ("a", "b")
            for prompt in ("naive", "frozen")
            for decoding, temperature in (("choose", 0.0), ("choose", 0.8), ("generate", 0.8))
        ),
        BASELINE,
    )


def test_series_stand_side_by_side_around_their_temperature() -> None:
    data = plot_data(_grid(), 0.5)
    assert data.models == ("a", "b")
    assert data.prompts == ("naive", "frozen")
    assert data.decodings == ("choose", "generate")
    assert data.temperatures == ("0", "0.8")
    naive, frozen = [-0.06, 0.82, 0.94], [0.06, 1.06, 1.18]
    assert data.points["x"].tolist() == pytest.approx((naive + frozen) * 2)


def test_accuracies_are_in_percent_and_baselines_apart() -> None:
    line = summary_line(accuracy=0.841, low=0.817, high=0.862)
    data = plot_data(summary_of(line, BASELINE), 0.5)
    (point,) = data.points.to_dict("records")
    assert (point["accuracy"], point["low"], point["high"]) == pytest.approx((84.1, 81.7, 86.2))
    assert point["x"] == 0
    assert data.baselines["model"].tolist() == ["majority class"]
    assert data.baselines["accuracy"].tolist() == pytest.approx([55.0])
    assert data.chance == 50.0


def test_many_series_stay_within_their_temperature() -> None:
    lines = [summary_line(prompt=f"p{i:02}") for i in range(20)]
    x = plot_data(summary_of(*lines), 0.5).points["x"]
    assert x.nunique() == 20
    assert x.abs().max() <= 0.4
    assert x.mean() == pytest.approx(0)


@pytest.mark.parametrize(
    ("low", "high", "chance", "limits"),
    [
        pytest.param(0.44, 0.76, 0.5, (40, 80), id="tens-around-the-data"),
        pytest.param(0.42, 0.78, 0.5, (30, 90), id="with-a-margin"),
        pytest.param(0.44, 0.76, 0.1, (0, 80), id="chance-counts"),
        pytest.param(0.0, 1.0, 0.5, (-3, 103), id="room-at-both-ends"),
        pytest.param(0.5, 0.95, 0.5, (40, 100), id="no-room-needed"),
    ],
)
def test_limits(low: float, high: float, chance: float, limits: tuple[float, float]) -> None:
    line = summary_line(accuracy=(low + high) / 2, low=low, high=high)
    assert plot_data(summary_of(line), chance).limits == limits


def test_a_line_without_accuracy_is_left_out() -> None:
    unscored = summary_line(temperature=0.8, accuracy=math.nan, low=math.nan, high=math.nan)
    data = plot_data(summary_of(summary_line(), unscored), 0.5)
    assert len(data.points) == 1
    assert data.temperatures == ("0",)


def test_the_summary_is_not_changed() -> None:
    summary = _grid()
    plot_data(summary, 0.5)
    pd.testing.assert_frame_equal(summary, _grid())


def test_nothing_to_draw_and_a_wrong_chance_are_refused() -> None:
    with pytest.raises(ValueError, match="no language model has an accuracy"):
        plot_data(summary_of(BASELINE), 0.5)
    with pytest.raises(ValueError, match="chance must be a share from 0 to 1, not 50"):
        plot_data(_grid(), 50)
