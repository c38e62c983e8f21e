"""Tensors and plain numbers on disk: safetensors beside JSON, never pickle; whole or refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ModelError
from ...strict import strict_json
from ...whole_files import whole, write_text

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer


@dataclass(frozen=True)
class Saved:
    """What a pair of files holds: named tensors (on the CPU), and numbers, strings and lists."""

    tensors: dict[str, Tensor]
    numbers: dict[str, Any]


def save(
    stem: Path,
    tensors: Mapping[str, Tensor],
    numbers: Mapping[str, Any],
    identity: Mapping[str, str],
) -> None:
    """Write ``stem.safetensors``, then ``stem.json``, each whole or not at all.

    The second holds the digest of the first, so a pair is complete or refused.  `identity` says
    what wrote it (algorithm, versions); who loads must name the same.
    """
    from safetensors.torch import save_file

    with whole(stem.with_suffix(".safetensors")) as unfinished:
        save_file({name: t.detach().cpu().contiguous() for name, t in tensors.items()}, unfinished)
        digest = file_digest(unfinished)
    record = {"identity": dict(identity), "sha256": digest, "numbers": dict(numbers)}
    write_text(stem.with_suffix(".json"), json.dumps(record, indent=1, allow_nan=False) + "\n")


def load(stem: Path, identity: Mapping[str, str]) -> Saved:
    """What `save` wrote under that name and identity.

    Raises
    ------
    ModelError: if a file is missing, truncated or changed, or another identity wrote it, such as
        another algorithm or another version of a package.
    """
    from safetensors.torch import load_file

    record, arrays = stem.with_suffix(".json"), stem.with_suffix(".safetensors")
    content = _record(record)
    for key, wanted in identity.items():
        if (found := content["identity"].get(key)) != wanted:
            raise ModelError(
                f"{record} was written with {key} {found}, not {wanted}; load it with what wrote "
                f"it, or delete {stem.parent} and train again"
            )
    if not arrays.is_file() or file_digest(arrays) != content["sha256"]:
        raise ModelError(
            f"{arrays} is not what {record.name} says was written, so it is truncated, changed or "
            f"gone; bring it back, or delete {stem.parent} and train again"
        )
    return Saved(load_file(arrays), content["numbers"])


def _record(path: Path) -> dict[str, Any]:
    remedy = f"bring it back, or delete {path.parent} and train again"
    try:
        content = strict_json(path.read_text(encoding="utf-8"), str(path), float)
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} cannot be read ({error}); {remedy}") from error
    except ModelError as error:
        raise ModelError(f"{error}; {remedy}") from error
    whole_record = isinstance(content, dict) and set(content) == {"identity", "sha256", "numbers"}
    if not whole_record or not all(
        isinstance(content[key], dict) for key in ("identity", "numbers")
    ):
        raise ModelError(f"{path} is not the record of saved tensors; {remedy}")
    return content


def file_digest(path: Path) -> str:
    """SHA-256 of the bytes of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under ``prefix/name``, as the parts of one file."""
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def part(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What `named` put under the prefix."""
    start = f"{prefix}/"
    return {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}


def optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    """The moments and counts of a torch optimizer whose state is all tensors, such as Adam."""
    state = optimizer.state_dict()["state"]
    return {f"{at}.{name}": t for at, entries in state.items() for name, t in entries.items()}


def set_optimizer_tensors(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `optimizer_tensors` took; learning rates are those of the optimizer."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        at, _, name = key.partition(".")
        state.setdefault(int(at), {})[name] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
