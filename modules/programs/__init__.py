"""Programs: DSPy modules bound to a Burnish prompt.

Example:

    with dspy.context(lm=dspy_lm(model), adapter=PromptAdapter(prompt, task.signature)):
        prediction = dspy.Predict(task.signature)(review="An instant classic.")
    prediction.sentiment, prediction.probabilities["sentiment"]["positive"]
"""

from modules.lm.engine import dspy_lm
from modules.programs.adapter import PromptAdapter

__all__ = ["PromptAdapter", "dspy_lm"]
