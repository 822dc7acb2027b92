"""`python -m modules.lm check`: prove here that answers do not depend on how they are run."""

import argparse
import logging
import sys

import torch

from modules.errors import UserError, leave
from modules.lm.check import Finding, check
from modules.lm.known import DEFAULT_MODELS
from modules.lm.load import load_model


def main(arguments: list[str]) -> None:
    """Run the check for each model and print one line a comparison."""
    options = _parser().parse_args(arguments)
    failed = []
    for name in options.model:
        model = load_model(name, dtype=options.dtype)
        forward = model._forward
        way = "packed" if forward.packs else "padded"
        print(
            f"{model.identity.name}, {model.identity.dtype}, {forward.device.type}, {way} passes, "
            f"{torch.get_num_threads()} threads",
            flush=True,
        )
        equal = check(model, _tell)
        if not equal and forward.device.type == "cpu":
            failed.append(model.identity.name)
        del model, forward
    if failed:
        raise UserError(f"answers depend on how they are run: {', '.join(failed)}")


def _tell(finding: Finding) -> None:
    if finding.what.endswith("nothing shared"):
        verdict = f"largest difference {finding.difference:.2g}"
    else:
        verdict = "equal bits" if finding.equal else f"DIFFERS by up to {finding.difference:.2g}"
    print(f"  {finding.what:<48} {verdict}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m modules.lm", description="The local model.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser(
        "check", help="prove that answers do not depend on batches, order, threads or caches"
    )
    command.add_argument(
        "--model",
        nargs="+",
        default=list(DEFAULT_MODELS),
        help="short names, hub ids or folders (default: " + " ".join(DEFAULT_MODELS) + ")",
    )
    command.add_argument(
        "--dtype", help="bfloat16, float32 or float64 (default: the machine's faster one)"
    )
    return parser


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    leave(lambda: main(sys.argv[1:]))
