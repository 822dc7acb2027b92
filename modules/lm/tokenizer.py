"""The tokenizer that an artifact names, without its model: for what only reads and writes text."""

from pathlib import Path

from transformers import AutoConfig, AutoTokenizer, GenerationConfig

from modules.errors import UserError
from modules.lm.codec import token_ids
from modules.lm.pieces import PieceCodec
from modules.lm.recorded import check_digest, hub_revision
from modules.lm.weights import find_weights
from modules.prompts.records import ModelRecord


def load_tokenizer(record: ModelRecord) -> PieceCodec:
    """Load the tokenizer of the model that an artifact was made for; its weights stay unread.

    It encodes as the codec of the loaded model does.

    Raises:
        UserError: the weights are others than the prompt was frozen for, or not here.
    """
    weights = find_weights(record.name, hub_revision(record))
    check_digest(record, weights.digest)
    try:
        tokenizer = AutoTokenizer.from_pretrained(weights.folder)
        return PieceCodec(tokenizer, _end_ids(weights.folder))
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"cannot load the tokenizer in {weights.folder}: {error}") from error


def _end_ids(folder: Path) -> list[int]:
    """The tokens that end an answer by the model's own account, as loading the model finds them."""
    if (folder / "generation_config.json").is_file():
        eos = GenerationConfig.from_pretrained(folder).eos_token_id
    else:
        eos = AutoConfig.from_pretrained(folder).eos_token_id
    return token_ids(eos)
