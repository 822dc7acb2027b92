"""The figures of an evaluation: data frames in, a `Picture` of three files out.

    from evaluate.analysis import by_length
    from evaluate.figures import accuracy, slices_by_length

    Path("accuracy.png").write_bytes(accuracy(summarise(rows), chance=0.5).png)
    light, dark = (one := slices_by_length(by_length(rows, examples))).light_svg, one.dark_svg

Every figure is 6.5 inches wide, with a transparent background in its SVGs (for white pages and for
#14171a) and a white one in its PNG; equal data give equal bytes. Names are untrusted and are shown
cleaned, shortened in the middle. Without anything to draw a ValueError says what is missing.
"""

from evaluate.figures.accuracy import accuracy
from evaluate.figures.confusions import confusions
from evaluate.figures.expectation import expectation
from evaluate.figures.margins import margins
from evaluate.figures.reliability import reliability
from evaluate.figures.shrinkage import shrinkage
from evaluate.figures.slices import by_confidence as slices_by_confidence
from evaluate.figures.slices import by_length as slices_by_length
from evaluate.figures.slices import by_rating as slices_by_rating
from evaluate.figures.style import Picture
from evaluate.figures.transfer import transfer

__all__ = [
    "Picture",
    "accuracy",
    "confusions",
    "expectation",
    "margins",
    "reliability",
    "shrinkage",
    "slices_by_confidence",
    "slices_by_length",
    "slices_by_rating",
    "transfer",
]
