"""Value iteration on a device of torch: what it gives is proved by `certify`, not believed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ...cmdp.scale.image import Image
from ...errors import ModelError
from ...exact import Array
from ...models.cmdp import CMDP
from ..parts.devices import require_device


def value_iteration(
    model: CMDP,
    sweeps: int,
    *,
    multipliers: Sequence[float | Fraction] = (),
    values: Array | None = None,
    device: str = "cpu",
) -> Array:
    """Values (float64[S]) after so many sweeps for the reward r - lambda c, in doubles.

    Args:
        model: discounted (gamma < 1).
        multipliers: lambda (m), one for each cost.
        values: where to start (S), by default at 0.
        device: of torch, such as "cpu" or "cuda"; it holds 16 bytes a transition.

    `certify(model, values=..., multipliers=...)` turns the result into a rigorous bound on the CPU.
    Raises ModelError for a device that is not there or has no doubles, and for other sizes.
    """
    import torch

    require_device(device)
    if device == "mps":
        raise ModelError("device = 'mps' has no float64, which a narrow bound needs; give 'cpu'")
    if len(multipliers) != model.n_constraints:
        raise ModelError(
            f"there are {len(multipliers)} multipliers for {model.n_constraints} costs; give one "
            "for each"
        )
    start = np.zeros(model.n_states) if values is None else np.array(values, dtype=float)
    if start.shape != (model.n_states,):
        raise ModelError(f"values are of shape {start.shape} for {model.n_states} states")
    image = Image.of(model)
    price = np.array([1.0, *(-float(weight) for weight in multipliers)])

    def there(array: Array) -> torch.Tensor:
        return torch.from_numpy(np.array(array)).to(device)

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse", UserWarning)  # that this layout is young
        moves = torch.sparse_csr_tensor(
            there(model.indptr), there(model.successors.astype(np.int64)),
            there(image.weights.astype(float)), size=(model.n_choices, model.n_states),
            check_invariants=False,
        )  # fmt: skip
    own, scale, first = map(there, (image.payoffs @ price, image.scale, model.choice_start))
    found = there(start)
    for _ in range(sweeps):
        found = torch.segment_reduce(own + scale * (moves @ found), "max", offsets=first)
    return np.asarray(found.cpu().numpy())
