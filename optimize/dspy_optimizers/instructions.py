"""The optimizers that write instructions, and those that write instructions and choose demos."""

from typing import Any

import dspy
from dspy.teleprompt.gepa import InstructionProposer
from dspy.teleprompt.simba_utils import append_a_demo
from dspy.utils.exceptions import ContextWindowExceededError

from optimize.dspy_optimizers.setting import Setting
from optimize.dspy_optimizers.sizes import (
    FULL_EVAL_STEPS,
    copro_size,
    gepa_calls,
    mipro_size,
    n_programs,
    simba_size,
)

_N_MINIBATCH = 3
_N_RULES = 5  # DSPy's ten do not fit into a written field
_N_SHOWN = 10  # train examples that a writer of rules sees, as MIPROv2's sees at once
_DEMO_CHARS = 100_000
_MOST_CREATIVE = 1.0  # COPRO's own 1.4 makes noise of a small model's text


def copro(setting: Setting) -> dspy.Module:
    """Rewrite the instruction in rounds. COPRO takes nothing but examples to score on: dev."""
    size = copro_size(setting.n_calls, len(setting.dev))
    optimizer = dspy.COPRO(
        prompt_model=setting.writer,
        metric=setting.metric,
        breadth=size.breadth,
        depth=size.depth,
        init_temperature=_MOST_CREATIVE,
    )
    eval_kwargs = {"num_threads": 1, "display_progress": False, "display_table": 0}
    return optimizer.compile(setting.student, trainset=setting.dev, eval_kwargs=eval_kwargs)


def mipro(setting: Setting) -> dspy.Module:
    """Search pairs of a written instruction and a bootstrapped demo set, scored on dev.

    As DSPy does by default, on minibatches, and now and then the best of them on all of dev.
    The writer is not shown the program's source: it is one predictor's, long, and the same for
    every task.
    """
    n_train, n_dev = len(setting.train), len(setting.dev)
    written = 2 * n_dev  # what is written costs about as much as two passes over dev
    size = mipro_size(setting.n_calls, n_dev, n_before=2 * n_train + written)
    optimizer = dspy.MIPROv2(
        metric=setting.metric,
        prompt_model=setting.writer,
        teacher_settings=setting.teacher_settings,
        max_bootstrapped_demos=setting.n_bootstrapped,
        max_labeled_demos=setting.n_bootstrapped,
        auto=None,
        num_candidates=size.candidates,
        num_threads=1,
        seed=setting.seed,  # here and not in compile, which takes 0 for no seed
        track_stats=False,
    )
    return optimizer.compile(
        setting.student,
        trainset=setting.train,
        valset=setting.dev,
        num_trials=size.trials,
        minibatch=size.minibatch < n_dev,
        minibatch_size=size.minibatch,
        minibatch_full_eval_steps=FULL_EVAL_STEPS,
        program_aware_proposer=False,
    )


def gepa(setting: Setting) -> dspy.Module:
    """Rewrite the instruction by reflection on train mistakes, keeping a Pareto front on dev."""
    n_minibatch = min(_N_MINIBATCH, len(setting.train))
    optimizer = dspy.GEPA(
        metric=_with_feedback(setting),
        max_metric_calls=gepa_calls(setting.n_calls, len(setting.dev), n_minibatch),
        reflection_minibatch_size=n_minibatch,
        reflection_lm=setting.writer,
        instruction_proposer=InstructionProposer(adapter=setting.adapter),
        num_threads=1,
        seed=setting.seed,
    )
    return optimizer.compile(setting.student, trainset=setting.train, valset=setting.dev)


def _with_feedback(setting: Setting) -> Any:
    field = setting.task.output_field

    def metric(
        gold: Any, given: Any, trace: Any = None, name: Any = None, part: Any = None
    ) -> dspy.Prediction:
        right = setting.metric(gold, given)
        feedback = "Right." if right else f"Wrong: the {field} is {gold[field]}."
        return dspy.Prediction(score=float(right), feedback=feedback)

    return metric


def simba(setting: Setting) -> dspy.Module:
    """Add demos, and rules where a writer is given, for the train examples that vary most.

    SIMBA scores on train, from which its demos come. Its rules are a dictionary in JSON, which a
    small model does not write: without a writer only demos are added.
    """
    size = simba_size(setting.n_calls, len(setting.train))
    optimizer = dspy.SIMBA(
        metric=setting.metric,
        bsize=size.batch,
        num_candidates=size.candidates,
        max_steps=size.steps,
        max_demos=setting.n_bootstrapped,
        prompt_model=setting.writer,
        num_threads=1,
    )
    if setting.teacher is None:
        optimizer.strategies = [append_a_demo(_DEMO_CHARS)]
    return optimizer.compile(setting.student, trainset=setting.train, seed=setting.seed)


def infer_rules(setting: Setting) -> dspy.Module:
    """Bootstrap demos, then add rules that the writer infers from train, scored on dev."""
    n_train, n_dev = len(setting.train), len(setting.dev)
    optimizer = _InferRules(
        num_candidates=n_programs(setting.n_calls, n_dev, n_train, least=2),
        num_rules=_N_RULES,
        num_threads=1,
        teacher_settings=setting.teacher_settings,
        metric=setting.metric,
        max_bootstrapped_demos=setting.n_bootstrapped,
        max_labeled_demos=setting.n_demos,
    )
    return optimizer.compile(setting.student, trainset=setting.train, valset=setting.dev)


class _InferRules(dspy.InferRules):  # type: ignore[misc]
    """InferRules, corrected where DSPy 3.4.1 errs.

    It writes rules into the signature class that all programs share, so that the last candidate's
    win; it fails on a prompt that is too long, for it looks for the error in its own name; and it
    shows the writer all of train.
    """

    def update_program_instructions(self, predictor: Any, rules: str) -> None:
        """Give the predictor a signature of its own with the rules."""
        predictor.signature = predictor.signature.with_instructions(
            f"{predictor.signature.instructions}\n\n"
            f"Please adhere to the following rules when making your prediction:\n{rules}"
        )

    def induce_natural_language_rules(self, predictor: Any, trainset: list[Any]) -> str:
        """Ask for rules from the first ten examples, or from fewer where they are too long.

        Raises:
            ContextWindowExceededError: not even one fits.
        """
        demos = self.get_predictor_demos(trainset[:_N_SHOWN], predictor)
        while True:
            try:
                text = self.format_examples(demos, predictor.signature)
                return str(self.rules_induction_program(text))
            except ContextWindowExceededError:
                if len(demos) == 1:
                    raise
                demos = demos[: len(demos) // 2]
