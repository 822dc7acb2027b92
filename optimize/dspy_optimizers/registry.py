"""The registry: DSPy's optimizers by the names that the search knows them by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import dspy

from modules.errors import UserError
from modules.programs import PromptAdapter
from modules.prompts import Prompt
from optimize.dspy_optimizers import few_shot, instructions
from optimize.dspy_optimizers.adapter import RunAdapter
from optimize.dspy_optimizers.reanchor import EvidenceAdapter, reanchor
from optimize.dspy_optimizers.setting import Setting


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """One of DSPy's optimizers.

    `compile` runs it, `help` says in a line what it does, `scored` is the split on which it scores
    programs (and by which the best of a stopped run is taken), `adapter` what programs run through.
    """

    compile: Callable[[Setting], dspy.Module]
    help: str
    scored: Literal["train", "dev"] = "dev"
    adapter: Callable[[Prompt, type[dspy.Signature]], PromptAdapter] = RunAdapter


OPTIMIZERS: Mapping[str, Optimizer] = MappingProxyType(
    {
        "labeled": Optimizer(
            compile=few_shot.labeled,
            help="LabeledFewShot: random train examples as demos; asks the model nothing",
        ),
        "bootstrap": Optimizer(
            compile=few_shot.bootstrap,
            help="BootstrapFewShot: train examples that the model answers rightly as demos",
        ),
        "bootstrap-rs": Optimizer(
            compile=few_shot.bootstrap_random_search,
            help="BootstrapFewShotWithRandomSearch: the best on dev of random demo sets",
        ),
        "bootstrap-optuna": Optimizer(
            compile=few_shot.bootstrap_optuna,
            help="BootstrapFewShotWithOptuna: the one demo that does best on dev",
        ),
        "knn": Optimizer(
            compile=few_shot.knn,
            help="KNNFewShot, frozen: the train examples most often nearest to dev texts as demos "
            "(a frozen prompt cannot choose them anew for every input)",
        ),
        "copro": Optimizer(
            compile=instructions.copro,
            help="COPRO: instructions rewritten in rounds, the best on dev; no demos",
        ),
        "mipro": Optimizer(
            compile=instructions.mipro,
            help="MIPROv2: written instructions and bootstrapped demos, chosen together on dev",
        ),
        "gepa": Optimizer(
            compile=instructions.gepa,
            help="GEPA: instructions rewritten by reflection on train mistakes; no demos",
        ),
        "simba": Optimizer(
            compile=instructions.simba,
            scored="train",
            help="SIMBA: demos, and rules with a writer, for the train examples that vary most",
        ),
        "infer-rules": Optimizer(
            compile=instructions.infer_rules,
            help="InferRules: bootstrapped demos and rules inferred from train, the best on dev",
        ),
        "reanchor": Optimizer(
            compile=reanchor,
            scored="train",
            adapter=EvidenceAdapter,
            help="ReAnchor: no new text; a weight for each label, fitted on train",
        ),
    }
)


def get_optimizer(name: str) -> Optimizer:
    """Give the optimizer of that name.

    Raises:
        UserError: there is none; the message lists the names.
    """
    if name not in OPTIMIZERS:
        raise UserError(
            f"an optimizer of DSPy must be one of {', '.join(OPTIMIZERS)}; got {name!r}"
        )
    return OPTIMIZERS[name]
