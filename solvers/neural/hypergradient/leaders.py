"""Leaders that are torch modules: any differentiable map from parameters to rewards and laws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from ...errors import ModelError
from ...hypergradient.models import BilevelModel
from ...sequences import Array

_TABLES = ("follower_rewards", "leader_rewards", "transitions", "initial")


@dataclass(frozen=True, eq=False)
class TorchVector:
    """What a module without inputs returns, as the differentiable vector of an `AffineLeader` or
    the policy of a game.  Calls put the given parameters into the module, in their own precision.
    """

    module: nn.Module

    @property
    def parameters(self) -> Array:
        """float64[d]: all parameters of the module in its order."""
        return _doubles(parameters_to_vector(self.module.parameters()))

    def values(self, parameters: Array) -> Array:
        """float64[k]."""
        with torch.no_grad():
            return _doubles(_at(self.module, parameters)().flatten())

    def pull_back(self, parameters: Array, weights: Array) -> Array:
        """float64[d], by one backward pass.  ModelError if no derivative comes back."""
        return _backward(self.module, [_at(self.module, parameters)().flatten()], [weights])

    def jacobian(self, parameters: Array) -> None:
        """Not kept: one pull-back an entry gives it."""


@dataclass(frozen=True, eq=False)
class TorchLeader:
    """A leader for `hypergradient`, whose module returns tables that replace those of a model.

    Attributes:
        base: all that does not depend on the leader.
        module: called without inputs; returns a mapping from "follower_rewards" [n, A],
            "leader_rewards" [n, A], "transitions" [nnz] as the base stores them, or "initial" [n].
    """

    base: BilevelModel
    module: nn.Module

    @property
    def parameters(self) -> Array:
        """float64[d]: all parameters of the module in its order."""
        return _doubles(parameters_to_vector(self.module.parameters()))

    def model(self, parameters: Array) -> BilevelModel:
        """Raises ModelError for tables that are not known, and as `BilevelModel` does."""
        with torch.no_grad():
            changes: dict[str, Any] = {
                name: _doubles(table) for name, table in self._tables(parameters).items()
            }
        if "transitions" in changes:
            kernel = self.base.transitions
            parts = (changes["transitions"], kernel.indices, kernel.indptr)
            changes["transitions"] = sparse.csr_array(parts, shape=kernel.shape)
        return replace(self.base, **changes)

    def pull_back(
        self, parameters: Array, follower_rewards: Array, leader_rewards: Array,
        transitions: Array, initial: Array,
    ) -> Array:  # fmt: skip
        """float64[d], by one backward pass.  ModelError if no derivative comes back."""
        weights = dict(
            zip(_TABLES, (follower_rewards, leader_rewards, transitions, initial), strict=True)
        )
        tables = self._tables(parameters)
        return _backward(self.module, [*tables.values()], [weights[name] for name in tables])

    def _tables(self, parameters: Array) -> Mapping[str, Tensor]:
        found = _at(self.module, parameters)()
        unknown = set(found) - set(_TABLES) if isinstance(found, Mapping) else {type(found)}
        if unknown or not found:
            raise ModelError(
                f"the module returned {unknown or 'nothing'}; it must return a mapping from one or "
                f"more of {', '.join(_TABLES)} to tensors"
            )
        return dict(found)


def _doubles(tensor: Tensor) -> Array:
    return tensor.detach().cpu().numpy().astype(np.float64)


def _at(module: nn.Module, parameters: Array) -> nn.Module:
    like = next(module.parameters())
    vector_to_parameters(torch.as_tensor(parameters).to(like), module.parameters())
    return module


def _backward(module: nn.Module, tables: Sequence[Tensor], weights: Sequence[Array]) -> Array:
    moving = [(t, w) for t, w in zip(tables, weights, strict=True) if t.requires_grad]
    if not moving:
        raise ModelError(
            "what the module returns has no derivative: it was detached, or made without torch; "
            "return tensors that are computed from the module's parameters"
        )
    found = torch.autograd.grad(
        [table for table, _ in moving], list(module.parameters()),
        [torch.as_tensor(np.reshape(w, t.shape)).to(t) for t, w in moving], materialize_grads=True,
    )  # fmt: skip
    return _doubles(parameters_to_vector(found))
