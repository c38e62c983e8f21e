"""Saved language models, as commands are given them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from holdfast.solvers.errors import ModelError

from ...terminal.trainings import require_torch


def pair_of_models(first: str, second: str) -> tuple[Any, Any, Any]:
    """(network, network, tokenizer of the first), in the precision in which each was saved.

    Raises ModelError for a model that is not there, for one that is given twice, and if torch is
    missing.
    """
    if Path(first).resolve() == Path(second).resolve():
        raise ModelError(f"both models are {first}, which differs in nothing; give two models")
    require_torch()
    from transformers.utils import logging

    from holdfast.solvers.neural.poisoning.language_model import load_saved

    logging.disable_progress_bar()
    networks = [load_saved(place, "auto") for place in (first, second)]
    return networks[0][0].eval(), networks[1][0].eval(), networks[0][1]


def texts_of(path: str, option: str) -> list[str]:
    """The lines of a file that are not empty.

    Raises click.BadParameter if it has none or cannot be read.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{option} {path} cannot be read ({error})") from error
    found = [line for line in lines if line.strip()]
    if not found:
        raise click.BadParameter(f"{option} {path} has no line of text; write one text a line")
    return found


def tokens_of(text: str, tokenizer: Any, option: str) -> list[int]:
    """The tokens of a text; ModelError for one that has none."""
    found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    if not found:
        raise ModelError(f"{option} {text!r} has no token of the first model; give another text")
    return found
