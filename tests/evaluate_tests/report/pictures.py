"""Pictures for the reports of this folder: simple ones, drawn for a light and a dark page."""

import io
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns  # type: ignore[import-untyped,unused-ignore]
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from evaluate.report import Figure

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="40px" height="30px"></svg>'
MODELS = ("microsoft/Phi-3-mini-4k-instruct", "Qwen/Qwen2-1.5B-Instruct")
PROMPTS = ("naive", "instructed", "few-shot", "chain-of-thought", "frozen")
_DARK = {"text.color": "#e6e8ea", "axes.labelcolor": "#e6e8ea", "xtick.color": "#a3abb4"} | {
    "ytick.color": "#a3abb4",
    "axes.edgecolor": "#5a626b",
    "grid.color": "#343a41",
}


@cache
def tiny_png() -> bytes:
    """Give a PNG of one pixel or so."""
    return _bytes(Canvas(figsize=(0.02, 0.02)), "png")


def drawn(name: str, caption: str, draw: Any, inches: tuple[float, float] = (8.0, 4.2)) -> Figure:
    """Give a figure with what `draw` draws on a canvas, for both themes."""
    return Figure(
        name=name,
        caption=caption,
        alt=f"{caption}, for two models",
        light=_picture(draw, inches, "svg", dark=False),
        dark=_picture(draw, inches, "svg", dark=True),
        png=_picture(draw, inches, "png", dark=False),
    )


@cache
def _picture(draw: Any, inches: tuple[float, float], form: str, *, dark: bool) -> bytes:
    style = sns.axes_style("whitegrid") | (_DARK if dark else {"grid.color": "0.9"})
    with mpl.rc_context(style | {"svg.hashsalt": "sample"}):
        canvas = Canvas(figsize=inches, layout="constrained")
        draw(canvas)
        return _bytes(canvas, form)


def _bytes(canvas: Canvas, form: str) -> bytes:
    FigureCanvasAgg(canvas)
    out = io.BytesIO()
    metadata = {"Date": None} if form == "svg" else {"Software": None}
    canvas.savefig(out, format=form, transparent=True, metadata=metadata)
    return out.getvalue()


def draw_lines(canvas: Canvas) -> None:
    """Draw two panels of lines with intervals."""
    panels = canvas.subplots(1, 2, sharey=True)
    for panel, model in zip(panels, MODELS, strict=True):
        for i, colour in enumerate(sns.color_palette("colorblind", 3)):
            x, y = np.arange(4), 80 + 3 * i - np.arange(4) / 2
            panel.errorbar(x, y, yerr=1.2, color=colour, marker="o", label=PROMPTS[i])
        panel.set(title=model.partition("/")[2], xlabel="temperature", ylabel="accuracy %")
    panels[0].legend(frameon=False)


def draw_bars(canvas: Canvas) -> None:
    """Draw a histogram."""
    panel = canvas.subplots()
    panel.bar(np.arange(12), np.arange(12) ** 2 + 4, color=sns.color_palette("colorblind", 1))
    panel.set(xlabel="margin, points", ylabel="reviews")


def draw_heat(canvas: Canvas) -> None:
    """Draw a heat map."""
    panel = canvas.subplots()
    sns.heatmap(np.array([[94.1, 88.0], [85.2, 90.3]]), annot=True, fmt=".1f", ax=panel)
