"""Differentiable vectors of a leader's parameters: the parameters themselves, and softmax rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse

from ..errors import ModelError
from ..sequences import Array
from .checks import real, reals, whole
from .models import Matrix

_UNIT = 2.0**-53
"""Proved: the relative error of one operation on doubles, where none underflows."""
_UNDERFLOW = 750.0
"""Proved: exp of less than minus this is 0 in doubles, and its error `_TINY` at most."""
_TINY = 1e-290
"""Proved: more than all that underflows in one entry."""


class Vector(Protocol):
    """A differentiable vector [k] of parameters [d]."""

    @property
    def parameters(self) -> Array:
        """The parameters to begin with [d]."""
        ...

    def values(self, parameters: Array) -> Array:
        """The vector [k] at parameters [d]."""
        ...

    def pull_back(self, parameters: Array, weights: Array) -> Array:
        """The gradient [d] of weights [k] times the vector."""
        ...

    def jacobian(self, parameters: Array) -> Matrix | None:
        """csr_array [k, d]; None if that would be too much.

        A vector may also have ``errors(parameters)``, bounds on the rounding in `values`, [k], and
        in `jacobian`, [k, d]; None for the latter where it holds zeros and ones alone.
        """
        ...


@dataclass(frozen=True)
class Linear:
    """The parameters themselves."""

    parameters: Array

    def values(self, parameters: Array) -> Array:
        """The vector at the parameters, as `Vector` says."""
        return parameters

    def pull_back(self, parameters: Array, weights: Array) -> Array:
        """The gradient of weights times the vector."""
        return weights

    def jacobian(self, parameters: Array) -> Matrix:
        """The derivative of each entry of the vector by each parameter."""
        return sparse.eye_array(len(parameters), format="csr")

    def errors(self, parameters: Array) -> tuple[Array, None]:
        """None are made."""
        return np.zeros(len(parameters)), None


@dataclass(frozen=True)
class SoftmaxPolicy:
    """Rows of probabilities, each a softmax of its logits: a leader's policy, or a budget's shares.

    Attributes:
        logits: float64[rows, L], which are also the parameters, row by row.
        scale: the values are this multiple of the probabilities.
        dropped: how many of the last entries of each row are left out of the values, as the share
            of a budget that is not spent.
    """

    logits: Array
    scale: float = 1.0
    dropped: int = 0

    def __post_init__(self) -> None:
        shape = reals(self.logits, "logits").shape
        real(self.scale, "scale")
        if len(shape) != 2 or not shape[0] or not whole(self.dropped, "dropped", 0) < shape[1]:
            raise ModelError(
                f"logits has shape {shape} with {self.dropped} dropped in each row; give a row a "
                "state (or a budget) and keep at least one entry of each"
            )

    @property
    def parameters(self) -> Array:
        """float64[rows * L]."""
        return np.asarray(self.logits, dtype=float).ravel()

    def probabilities(self, parameters: Array) -> Array:
        """float64[rows, L]."""
        logits = np.reshape(parameters, np.shape(self.logits))
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: Array = powers / powers.sum(axis=1, keepdims=True)
        return shares

    def values(self, parameters: Array) -> Array:
        """The vector at the parameters, as `Vector` says."""
        return self.scale * self._kept(self.probabilities(parameters)).ravel()

    def pull_back(self, parameters: Array, weights: Array) -> Array:
        """The gradient of weights times the vector."""
        shares = self.probabilities(parameters)
        scaled = np.zeros_like(shares)
        kept = self._kept(shares)
        self._kept(scaled)[...] = self.scale * kept * np.reshape(weights, kept.shape)
        moved: Array = scaled - shares * scaled.sum(axis=1, keepdims=True)
        return moved.ravel()

    def jacobian(self, parameters: Array) -> Matrix:
        """The derivative of each entry of the vector by each parameter."""
        shares = self.probabilities(parameters)
        kept = self._kept(shares)
        blocks = -kept[:, :, None] * shares[:, None, :]
        at = np.arange(kept.shape[1])
        blocks[:, at, at] += kept
        return self._by_rows(self.scale * blocks)

    def errors(self, parameters: Array) -> tuple[Array, Matrix]:
        """Bounds on the rounding in `values`, float64[k], and in `jacobian`, csr_array [k, d]."""
        shares = self.probabilities(parameters)
        logits = np.reshape(parameters, shares.shape)
        with np.errstate(over="ignore"):  # logits far apart
            below = np.minimum(logits.max(axis=1, keepdims=True) - logits, _UNDERFLOW)
        equal = ~below.any(axis=1, keepdims=True)  # then powers are 1 and their sum is exact
        powers = np.where(below > 0, _UNIT * (below + 10), 0.0)  # of the difference, of exp
        total = (shares * powers).sum(axis=1, keepdims=True)
        each = powers + total + np.where(equal, 2, shares.shape[1] + 4) * _UNIT
        kept, own = self._kept(shares), self._kept(each)
        blocks = kept[:, :, None] * shares[:, None, :]
        blocks *= own[:, :, None] + each[:, None, :] + 4 * _UNIT
        at = np.arange(kept.shape[1])
        blocks[:, at, at] += kept * (2 * own + 4 * _UNIT)  # of a difference p - p p
        size = abs(self.scale)
        return size * (kept * own + _TINY).ravel(), self._by_rows(size * (blocks + _TINY))

    def _by_rows(self, blocks: Array) -> Matrix:
        """csr_array [k, d] of derivatives [rows, kept, L], each by its own row's logits."""
        rows, kept, width = blocks.shape
        columns = np.arange(rows * width).reshape(rows, 1, width).repeat(kept, axis=1)
        starts = np.arange(0, blocks.size + 1, width)
        parts = (blocks.ravel(), columns.ravel(), starts)
        return sparse.csr_array(parts, shape=(rows * kept, rows * width))

    def _kept(self, table: Array) -> Array:
        return table[:, : table.shape[1] - self.dropped]
