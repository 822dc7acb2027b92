"""One smoke test on a real model; it says why when the model cannot be had."""

import numpy as np
import pytest

from modules.errors import UserError
from modules.lm import DEFAULT_MODELS, GenerateRequest, LocalModel, Sampling, load_model
from modules.programs.naive import naive_prompt
from modules.prompts import Demo, Layout, answers, render
from modules.tasks import TaskSpec, load_task

TEXTS = {
    "A warm, funny and beautiful film that I will happily watch again.": "positive",
    "A dull, badly acted mess and a complete waste of two hours.": "negative",
    "One of the best movies of the year, with a wonderful cast.": "positive",
    "Boring from start to finish, with terrible dialogue.": "negative",
}


@pytest.fixture(scope="module")
def model() -> LocalModel:
    try:
        return load_model("smollm2-135m")
    except UserError as error:
        pytest.skip(f"no real model: {error}")


@pytest.mark.real_model
@pytest.mark.network
def test_smollm2_tells_clear_reviews_apart_and_batches_do_not_matter(model: LocalModel) -> None:
    try:
        task, _ = load_task(TaskSpec(name="snippets"), seed=0)
    except UserError as error:
        pytest.skip(f"no real data: {error}")
    prompt = naive_prompt(task, is_chat=False).model_copy(
        update={
            "layout": Layout(kind="text", input_lead="Review:", answer_lead="Sentiment:"),
            "demos": (
                Demo(text="I loved every minute of it.", label="positive"),
                Demo(text="I hated every minute of it.", label="negative"),
            ),
        }
    )
    rendered = [render(prompt, text) for text in TEXTS]
    logp = model.choose(rendered, answers(prompt)).log_probabilities()
    said = [task.label_names[at] for at in logp.argmax(axis=1)]
    assert said == list(TEXTS.values())
    alone = [model.choose([r], answers(prompt)).log_probabilities()[0] for r in rendered]
    if model.identity.dtype == "bfloat16":
        assert np.array_equal(np.array(alone), logp)
    else:
        assert np.allclose(np.array(alone), logp, atol=1e-4)
    written = model.generate(
        [GenerateRequest(prompt=r, sampling=Sampling(max_tokens=4)) for r in rendered]
    )
    assert [completion.text for completion in written] == list(TEXTS.values())


@pytest.mark.real_model
@pytest.mark.parametrize("name", DEFAULT_MODELS)
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_the_default_models_run_packed_in_every_dtype(name: str, dtype: str) -> None:
    """Thirty layers of bfloat16 round by several percent; that is no other attention."""
    try:
        assert load_model(name, dtype=dtype)._forward.packs
    except UserError as error:
        pytest.skip(f"no real model: {error}")
