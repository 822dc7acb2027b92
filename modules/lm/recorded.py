"""The model that an artifact names: the same weights, or a refusal."""

from modules.errors import UserError
from modules.lm.load import load_model
from modules.lm.model import LocalModel
from modules.prompts.records import ModelRecord


def record_of(model: LocalModel) -> ModelRecord:
    """Give the record of a model as it runs here."""
    identity = model.identity
    return ModelRecord(
        name=identity.name,
        source=identity.source,
        revision=identity.revision,
        digest=identity.digest,
        dtype=identity.dtype,
        processor=identity.processor,
    )


def load_recorded(
    record: ModelRecord, dtype: str | None = None, *, cache: bool = False
) -> LocalModel:
    """Load the model that an artifact was made for, in its dtype unless another is given.

    `cache` is that of `modules.lm.load_model`.

    Raises:
        UserError: the weights are others than the prompt was frozen for, or not here.
    """
    model = load_as_named(record, dtype, cache=cache)
    check_digest(record, model.identity.digest)
    return model


def load_as_named(
    record: ModelRecord, dtype: str | None = None, *, cache: bool = False
) -> LocalModel:
    """Load by the recorded name and revision, whatever weights that is now."""
    name, revision = record.name, hub_revision(record)
    return load_model(name, revision=revision, dtype=dtype or record.dtype, cache=cache)


def hub_revision(record: ModelRecord) -> str | None:
    """Give the revision to ask for; None for what does not come from the hub."""
    return None if record.revision == "local" else record.revision


def check_digest(record: ModelRecord, digest: str) -> None:
    """Check that weights are those that a prompt was frozen for.

    Raises:
        UserError: they are others.
    """
    if digest != record.digest:
        raise UserError(
            f"the weights of {record.name} have digest {digest[:12]}, the prompt "
            f"was frozen for {record.digest[:12]}: search again"
        )
