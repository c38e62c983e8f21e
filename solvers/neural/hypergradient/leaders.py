"""Leaders that are torch modules: any differentiable map from parameters to a vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from ...errors import ModelError
from ...sequences import Array


@dataclass(frozen=True, eq=False)
class TorchVector:
    """What a module without inputs returns: the vector of an `AffineLeader`, such as amounts that
    are added to rewards, or the probabilities [n, L] of a game's policy.

    All parameters of the module, in its order, are those of the leader; calls put the given ones
    into the module, in its own precision.
    """

    module: nn.Module

    @property
    def parameters(self) -> Array:
        """float64[d]."""
        return _doubles(parameters_to_vector(self.module.parameters()))

    def values(self, parameters: Array) -> Array:
        """float64[k]."""
        return _doubles(self._at(parameters))

    def pull_back(self, parameters: Array, weights: Array) -> Array:
        """float64[d], by one backward pass.  ModelError where there is no derivative."""
        values = self._at(parameters)
        if not values.requires_grad:
            raise ModelError(
                "what the module returns has no derivative: it was detached, or made without "
                "torch; return a tensor that is computed from the module's parameters"
            )
        found = torch.autograd.grad(
            values, list(self.module.parameters()), torch.as_tensor(weights).to(values),
            materialize_grads=True,
        )  # fmt: skip
        return _doubles(parameters_to_vector(found))

    def jacobian(self, parameters: Array) -> None:
        """Not kept: it would take one pull-back an entry."""

    def _at(self, parameters: Array) -> Tensor:
        like = next(self.module.parameters())
        vector_to_parameters(torch.as_tensor(parameters).to(like), self.module.parameters())
        found: Tensor = self.module().flatten()
        return found


def _doubles(tensor: Tensor) -> Array:
    return tensor.detach().cpu().numpy().astype(np.float64)
