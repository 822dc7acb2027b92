"""Prompts as values: what they are made of, how they read, and what an answer means.

Example:

    prompt = Prompt(layout=layout, instruction=parts, demos=demos, words=words, bias=(0.0, 0.0))
    rendered = render(prompt, "An instant classic.")  # chat turns or plain text
    answers(prompt)                                   # (" negative", " positive")
    parse_answer(prompt, "Positive!")                 # "positive"
"""

from modules.prompts.artifact import (
    OWN_OPTIMIZER,
    Artifact,
    artifact_path,
    file_name,
    find_artifacts,
    load_artifact,
    save_artifact,
)
from modules.prompts.calibration import (
    LOWEST,
    apply_bias,
    batch_bias,
    fit_bias,
    fit_scaled_bias,
)
from modules.prompts.ensemble import combine, ensemble_identity, recorded, records_raw
from modules.prompts.evidence import calibrated, evidence_words, fit_evidence
from modules.prompts.parse import match_label, parse_answer
from modules.prompts.prompt import Demo, Evidence, InputCap, LabelWord, Layout, Part, Prompt
from modules.prompts.reading import Reading, reading
from modules.prompts.render import Rendered, Turn, answers, cut, render, what_is_read

__all__ = [
    "LOWEST",
    "OWN_OPTIMIZER",
    "Artifact",
    "Demo",
    "Evidence",
    "InputCap",
    "LabelWord",
    "Layout",
    "Part",
    "Prompt",
    "Reading",
    "Rendered",
    "Turn",
    "answers",
    "apply_bias",
    "artifact_path",
    "batch_bias",
    "calibrated",
    "combine",
    "cut",
    "ensemble_identity",
    "evidence_words",
    "file_name",
    "find_artifacts",
    "fit_bias",
    "fit_evidence",
    "fit_scaled_bias",
    "load_artifact",
    "match_label",
    "parse_answer",
    "reading",
    "recorded",
    "records_raw",
    "render",
    "save_artifact",
    "what_is_read",
]
