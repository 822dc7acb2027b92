"""The matrix: our search against every DSPy optimizer and promptolution, on equal budgets.

    python -m benchmarks.search run --out runs/matrix
    python -m benchmarks.search report --out runs/matrix

`protocol` says what is compared and in which order, `contestants` runs one cell, `journal` keeps
what is finished, `scores` and `report` read it back, `curves` draws accuracy against tokens,
`times` runs ours and the best peer in turn.
"""
