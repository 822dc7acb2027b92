"""The optimizers that choose demos: labelled, bootstrapped, and the train texts near dev's."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import dspy
import optuna
from sklearn.feature_extraction.text import TfidfVectorizer

from optimize.dspy_optimizers.setting import Setting
from optimize.dspy_optimizers.sizes import n_programs

_N_SINGLE_DEMOS = 16  # what DSPy's Optuna search draws its one demo from


def labeled(setting: Setting) -> dspy.Module:
    """Take demos from train as they are labelled. DSPy's draw is fixed, the order is the seed's."""
    optimizer = dspy.LabeledFewShot(k=setting.n_demos)
    return optimizer.compile(setting.student, trainset=setting.train)


def bootstrap(setting: Setting) -> dspy.Module:
    """Take demos that the teacher answers rightly, in the seed's order, and fill up with others."""
    optimizer = dspy.BootstrapFewShot(
        metric=setting.metric,
        teacher_settings=setting.teacher_settings,
        max_bootstrapped_demos=setting.n_bootstrapped,
        max_labeled_demos=setting.n_demos,
    )
    return optimizer.compile(setting.student, trainset=setting.train)


def bootstrap_random_search(setting: Setting) -> dspy.Module:
    """Score bootstrapped demo sets on dev: three plain ones and as many as the budget pays."""
    n_train, n_dev = len(setting.train), len(setting.dev)
    optimizer = dspy.BootstrapFewShotWithRandomSearch(
        metric=setting.metric,
        teacher_settings=setting.teacher_settings,
        max_bootstrapped_demos=setting.n_bootstrapped,
        max_labeled_demos=setting.n_demos,
        num_candidate_programs=n_programs(setting.n_calls, n_dev, 3 * n_dev + n_train),
        num_threads=1,
    )
    return optimizer.compile(setting.student, trainset=setting.train, valset=setting.dev)


def bootstrap_optuna(setting: Setting) -> dspy.Module:
    """Let Optuna choose the one demo, of up to 16 bootstrapped ones, that does best on dev."""
    n_train, n_dev = len(setting.train), len(setting.dev)
    optimizer = dspy.BootstrapFewShotWithOptuna(
        metric=setting.metric,
        teacher_settings=setting.teacher_settings,
        max_labeled_demos=setting.n_demos,
        num_candidate_programs=n_programs(setting.n_calls, n_dev, n_train, least=2),
        num_threads=1,
    )
    with seeded_studies(setting.seed):
        return optimizer.compile(
            setting.student,
            max_demos=min(_N_SINGLE_DEMOS, n_train),
            trainset=setting.train,
            valset=setting.dev,
        )


@contextlib.contextmanager
def seeded_studies(seed: int) -> Iterator[None]:
    """Give every Optuna study without a sampler a seeded one: DSPy's own has none."""
    create = optuna.create_study

    def seeded(*args: Any, **kwargs: Any) -> optuna.Study:
        kwargs.setdefault("sampler", optuna.samplers.TPESampler(seed=seed))
        return create(*args, **kwargs)

    with patch.object(optuna, "create_study", seeded):
        yield


def knn(setting: Setting) -> dspy.Module:
    """Freeze the train examples that are most often among the nearest neighbours of dev texts.

    DSPy's KNNFewShot chooses demos anew for every input, which no frozen prompt can. Vectors are
    TF-IDF of the train texts; ties go by the seed's order of train. No answer is asked for.
    """
    field = setting.task.input_field
    vectorizer = TfidfVectorizer(token_pattern=r"(?u)\b\w+\b").fit(
        [f"{field}: {example[field]}" for example in setting.train]
    )

    def embed(texts: list[str]) -> Any:
        return vectorizer.transform(texts).toarray()

    optimizer = dspy.KNNFewShot(
        k=setting.n_demos,
        trainset=setting.train,
        vectorizer=dspy.Embedder(embed, caching=False),
    )
    number = {example[field]: at for at, example in enumerate(setting.train)}
    near: Counter[int] = Counter()
    for example in setting.dev:
        near.update(number[found[field]] for found in optimizer.KNN(**{field: example[field]}))
    program = setting.student.reset_copy()
    chosen = sorted(near, key=lambda at: (-near[at], at))[: setting.n_demos]
    program.demos = [setting.train[at] for at in chosen]
    return program
