"""Burnish: use a frozen prompt from Python.

Example:

    from burnish import load

    classifier = load("artifacts/snippets/gemma-3-270m/seed-0.json")
    answers = classifier(["An instant classic.", "Dull."])  # one Answer a text, in order
    answers[0].label, answers[0].confidence
    classifier("An instant classic.").probabilities         # {label: probability}

The model library is imported when `load` is first asked for: `import burnish` costs nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from burnish.classifier import Answer, Classifier, load

__all__ = ["Answer", "Classifier", "load"]

if not TYPE_CHECKING:  # a checker takes the names from above, and knows that there are no others

    def __getattr__(name: str) -> object:
        """Give a public name from the module that has it."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from burnish import classifier

        return getattr(classifier, name)
