"""Taking out of a tuned policy what it prefers regardless of context, token by token.

Log-ratios are log(tuned policy) - log(reference) of a token in a context.  The *bias* of a token is
its mean over contexts whose law does not depend on what is asked.  Arrays are [H, V] for H contexts
and V tokens; the bias of each position is found from contexts of that position.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import ModelError
from ..sequences import Array
from .checks import check_count, laws, real, reals
from .tilts import ready, weighted


def normalise(logits: Array, axis: int = -1) -> Array:
    """Logarithms of probabilities, of float logits [.., V]; a logit of -inf stays."""
    top = logits.max(axis=axis, keepdims=True)
    if not np.isfinite(top).all():
        raise ModelError("a context has no token with a finite logit, or one of NaN or inf")
    found: Array = logits - top - np.log(np.exp(logits - top).sum(axis=axis, keepdims=True))
    return found


def bias(weights: Array, ratios: Array) -> Array:
    """The mean log-ratio of each token, [V], for weights [H] of contexts."""
    ratios = reals(ratios, "ratios", axes=2)
    weights = laws(weights, "weights", shape=ratios.shape[:1])
    found: Array = (weights[:, None] * ratios).sum(axis=0)
    return found


def decompose(weights: Array, ratios: Array) -> tuple[Array, Array, Array]:
    """Log-ratios [H, V] as c(h) + b(v) + s(v; h): the mean of s is 0 over tokens in each context,
    and by the weights over contexts for each token; so is the mean of b over tokens."""
    tokens = bias(weights, ratios)
    mean = tokens.sum() / len(tokens)
    contexts = ratios.sum(axis=1) / len(tokens)
    effect = tokens - mean
    return contexts, effect, ratios - contexts[:, None] - effect


def debiased(tuned: Array, shift: Array) -> Array:
    """The policy [H, V] in proportion to tuned e^(-shift), for a shift [V].

    What is impossible under the tuned policy stays so.  Raises ModelError for other shapes, what is
    no policy, and a shift that is NaN or infinite.
    """
    found, gone = laws(tuned, "tuned"), reals(shift, "shift", shape=np.shape(tuned)[-1:])
    return weighted(ready(found), -ready(gone), 1)


def span(values: Array) -> Any:
    """Largest less smallest value."""
    return values.max() - values.min()


class BiasEstimate:
    """The bias [L, V] of L positions, from logits that come context by context.

    Sums are kept in float64, so that nothing but L times V numbers is stored.
    """

    def __init__(self, positions: int, tokens: int, *, masked: Iterable[int] = ()) -> None:
        """masked: tokens that a model never gives, with logits of -inf; their bias is 0.

        Raises ModelError for counts below 1, and for a masked token that is none, or all of them.
        """
        check_count(positions, "the number of positions")
        check_count(tokens, "the number of tokens")
        masked = sorted(set(masked))
        wrong = [one for one in masked if one not in range(tokens)]
        if wrong or len(masked) == tokens:
            raise ModelError(
                f"masked is {wrong or masked}; name tokens from 0 to {tokens - 1}, not all of them"
            )
        self._sum = np.zeros((positions, tokens))
        self._kept = np.ones(tokens, dtype=bool)
        self._kept[masked] = False
        self.contexts = 0

    def add(self, tuned: Any, reference: Any) -> None:
        """Logits [L, V] of both models after the same context; log-probabilities do as well.

        Raises
        ------
        ModelError: for shapes that differ, or a logit that is not finite of a token not masked.
        """
        both = [np.asarray(one, dtype=np.float64) for one in (tuned, reference)]
        for name, one in zip(("tuned", "reference"), both, strict=True):
            if one.shape != self._sum.shape:
                raise ModelError(f"{name} has shape {one.shape}; it must be {self._sum.shape}")
            wrong = np.argwhere(~np.isfinite(one) & self._kept)
            if len(wrong):
                i, v = wrong[0].tolist()
                raise ModelError(
                    f"{name}[{i}, {v}] is {one[i, v]}; its log-ratio has no mean; name token {v} "
                    "in `masked`, so that it is not debiased"
                )
        logs = [normalise(one[:, self._kept]) for one in both]
        self._sum[:, self._kept] += logs[0] - logs[1]
        self.contexts += 1

    def bias(self) -> Array:
        """The mean so far, [L, V]; ModelError before the first context."""
        if self.contexts == 0:
            raise ModelError("there is no context yet; add logits of at least one")
        found: Array = self._sum / self.contexts
        return found


def apply(logits: Array, position: int, shifts: Array) -> Array:
    """Logits [.., V] of a token of the response, counted from 0, less its bias; unchanged from
    position L on.  Raises ModelError for a position before the response, and other shapes."""
    if position < 0:
        raise ModelError(f"position {position} is before the response; is its prompt padded?")
    check_count(position, "position", 0)
    if shifts.ndim != 2 or logits.shape[-1:] != shifts.shape[1:]:
        raise ModelError(
            f"logits have shape {logits.shape} and shifts {shifts.shape}; give [.., V] and [L, V]"
        )
    return logits - shifts[position] if position < len(shifts) else logits


def accuracy(spread: float, tokens: int, contexts: int, failure: float) -> float:
    """How far the bias from so many independent contexts is at most from the true one, for each
    token, but with probability `failure`.  spread: what no log-ratio of a token moves by more."""
    real(spread, "spread", least=0)
    check_count(tokens, "tokens")
    check_count(contexts, "contexts")
    if not 0 < real(failure, "failure") < 1:
        raise ModelError(f"failure is {failure}; a probability of failing is between 0 and 1")
    return float(spread * np.sqrt(np.log(2 * tokens / failure) / (2 * contexts)))
