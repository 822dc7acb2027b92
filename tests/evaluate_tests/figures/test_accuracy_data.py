"""What the accuracy figure shows, as numbers."""

import math

import pandas as pd
import pytest

from evaluate.figures.accuracy_data import accuracy_data
from tests.evaluate_tests.records import summary_line, summary_of

BASELINE = summary_line(model="majority class", prompt="-", decoding="classifier", accuracy=0.55)


def _grid() -> pd.DataFrame:
    """Give two models, both prompts, `choose` at 0 and 0.8, `generate` at 0.8, one baseline."""
    return summary_of(
        *(
            summary_line(model=model, prompt=prompt, decoding=decoding, temperature=temperature)
            for model in ("a", "b")
            for prompt in ("frozen", "naive")
            for decoding, temperature in (("generate", 0.8), ("choose", 0.8), ("choose", 0.0))
        ),
        BASELINE,
    )


def test_prompts_stand_below_each_other_with_their_temperatures_around_them() -> None:
    data = accuracy_data(_grid(), 0.5)
    assert data.models == ("a", "b")
    assert data.prompts == {"a": ("naive", "frozen"), "b": ("naive", "frozen")}
    assert data.decodings == ("choose", "generate")
    assert data.temperatures == (0.0, 0.8)
    # Frozen is the second prompt, at 1; 0.8 stands 0.12 below its place and 0 above it.
    frozen, naive = [1.12, 1.12, 0.88], [0.12, 0.12, -0.12]
    assert data.points["y"].tolist() == pytest.approx((frozen + naive) * 2)


def test_every_model_has_its_own_prompts_in_the_order_of_the_ladder() -> None:
    names = ["frozen for b", "frozen", "chain-of-thought", "few-shot", "naive", "instructed"]
    lines = [summary_line(model="a", prompt=name) for name in names]
    data = accuracy_data(summary_of(*lines, summary_line(model="b", prompt="frozen")), 0.5)
    ladder = ("naive", "instructed", "few-shot", "chain-of-thought", "frozen", "frozen for b")
    assert data.prompts == {"a": ladder, "b": ("frozen",)}
    assert data.points["y"].tolist() == [5, 4, 3, 2, 0, 1, 0]


def test_baselines_are_apart_with_nothing_but_an_accuracy() -> None:
    data = accuracy_data(summary_of(summary_line(accuracy=0.841), BASELINE), 0.25)
    assert data.points["accuracy"].tolist() == [0.841]
    assert data.baselines.to_dict("records") == [{"model": "majority class", "accuracy": 0.55}]
    assert data.chance == 0.25


def test_many_temperatures_stay_within_their_prompt() -> None:
    lines = [summary_line(temperature=t / 10) for t in range(20)]
    y = accuracy_data(summary_of(*lines), 0.5).points["y"]
    assert y.nunique() == 20
    assert y.abs().max() < 0.5
    assert y.mean() == pytest.approx(0)


@pytest.mark.parametrize(
    ("low", "high", "chance", "limits"),
    [
        pytest.param(0.44, 0.76, 0.5, (0.4, 0.8), id="tenths-around-the-data"),
        pytest.param(0.42, 0.78, 0.5, (0.3, 0.9), id="with-a-margin"),
        pytest.param(0.44, 0.76, 0.1, (0.0, 0.8), id="chance-counts"),
        pytest.param(0.0, 1.0, 0.5, (-0.03, 1.03), id="room-at-both-ends"),
        pytest.param(0.5, 0.95, 0.5, (0.4, 1.0), id="no-room-needed"),
    ],
)
def test_limits(low: float, high: float, chance: float, limits: tuple[float, float]) -> None:
    line = summary_line(accuracy=(low + high) / 2, low=low, high=high)
    assert accuracy_data(summary_of(line), chance).limits == pytest.approx(limits)


def test_a_baseline_is_within_the_limits() -> None:
    low = summary_line(model="odd", prompt="-", decoding="classifier", accuracy=0.05)
    assert accuracy_data(summary_of(summary_line(), low), 0.5).limits[0] < 0.05


def test_a_line_without_accuracy_is_left_out() -> None:
    unscored = summary_line(temperature=0.8, accuracy=math.nan, low=math.nan, high=math.nan)
    data = accuracy_data(summary_of(summary_line(), unscored), 0.5)
    assert len(data.points) == 1
    assert data.temperatures == (0.0,)


def test_the_summary_is_not_changed() -> None:
    summary = _grid()
    accuracy_data(summary, 0.5)
    pd.testing.assert_frame_equal(summary, _grid())


def test_nothing_to_draw_and_a_wrong_chance_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing to draw: no language model has an accuracy"):
        accuracy_data(summary_of(BASELINE), 0.5)
    with pytest.raises(ValueError, match="chance must be a share from 0 to 1, not 50"):
        accuracy_data(_grid(), 50)
