"""Likelihoods of one parameter a prompt, of all prompts at once, with rollouts that were cut.

A law has a shape, which prompts share, and a rate of each prompt, of which its parameter theta is
an increasing function: log rate for the Gamma law, log odds of an advance for the negative
binomial.  In theta both likelihoods are concave, for log T and the counting of advances have
log-concave tails, so that Newton's method needs no safeguard where it starts outside.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import betaincc, betaln, expit, gammaincc, gammaln, logit, xlogy

from ...sequences import Array

_DEEP = 1e-280
"""A tail below which it and its slope come from their leading terms: near the smallest double."""


class Terms(NamedTuple):
    """Log-likelihood of each prompt (P), and its first and second derivative in theta."""

    value: Array
    slope: Array
    curvature: Array


@dataclass(frozen=True, slots=True)
class Counts:
    """A log as the likelihoods need it.

    solves: float64[P], solved rollouts of each prompt; tokens: float64[P], theirs; rollouts:
    float64[P]; solved: (prompt, length, how many) of distinct solved rollouts, and cut: of those
    that were not solved.
    """

    solves: Array
    tokens: Array
    rollouts: Array
    solved: tuple[Array, Array, Array]
    cut: tuple[Array, Array, Array]

    @property
    def longest(self) -> Array:
        """float64[P]: tokens of all rollouts of each prompt."""
        where, length, many = self.cut
        return self.tokens + np.bincount(where, many * length, len(self.tokens))


def counts_of(lengths: Array, solved: Array, prompts: Array, size: int) -> Counts:
    """Counts of a log of `size` prompts; lengths, solved and prompts have N entries."""

    def distinct(which: Array) -> tuple[Array, Array, Array]:
        stride = int(lengths.max()) + 1
        keys, many = np.unique(prompts[which] * stride + lengths[which], return_counts=True)
        return keys // stride, (keys % stride).astype(np.float64), many.astype(np.float64)

    where = prompts[solved]
    return Counts(
        np.bincount(where, minlength=size).astype(np.float64),
        np.bincount(where, lengths[solved], size),
        np.bincount(prompts, minlength=size).astype(np.float64),
        distinct(solved),
        distinct(~solved),
    )


@dataclass(frozen=True, slots=True)
class Law(ABC):
    """T of a prompt given the shape: steps to be made, a positive number."""

    shape: float

    @abstractmethod
    def rate(self, theta: Array) -> Array:
        """Steps a token, float64[P]: E T = shape/rate."""

    @abstractmethod
    def theta(self, rate: Array) -> Array:
        """The parameter of a rate, float64[P]."""

    @abstractmethod
    def terms(self, counts: Counts, theta: Array) -> Terms:
        """Log-likelihood of each prompt without what is constant in theta, and derivatives."""

    @abstractmethod
    def constant(self, counts: Counts) -> Array:
        """What `terms` leaves out, float64[P]: it matters where shapes are compared."""


@dataclass(frozen=True, slots=True)
class GammaLaw(Law):
    """T has the Gamma law of this shape."""

    def rate(self, theta: Array) -> Array:
        """exp(theta)."""
        return np.exp(theta)

    def theta(self, rate: Array) -> Array:
        """log(rate)."""
        return np.log(rate)

    def terms(self, counts: Counts, theta: Array) -> Terms:
        """Of solves K theta - rate T, of cut ones log Q(K, rate c)."""
        where, length, many = counts.cut
        steps, spent = self.shape * counts.solves, np.exp(theta) * counts.tokens
        x = np.exp(theta)[where] * length
        tail, y = self._tail(x)
        sums = [np.bincount(where, many * part, len(theta)) for part in
                (tail, y, y * (self.shape - x + y))]  # fmt: skip
        return Terms(steps * theta - spent + sums[0], steps - spent - sums[1], -spent - sums[2])

    def _tail(self, x: Array) -> tuple[Array, Array]:
        """log Q(K, x) and x times the hazard at x, for x (M)."""
        k = self.shape
        upper = gammaincc(k, x)
        with np.errstate(divide="ignore", invalid="ignore"):
            density = xlogy(k, x) - x - gammaln(k)
            leading = density - np.log(x) + np.log1p((k - 1) / x)
            logs = np.where(upper > _DEEP, np.log(upper), leading)
        return logs, np.exp(density - logs)

    def constant(self, counts: Counts) -> Array:
        """Sum of (K - 1) log T - log Gamma(K) over solves."""
        where, length, many = counts.solved
        logs = np.bincount(where, many * np.log(length), len(counts.solves))
        return (self.shape - 1) * logs - counts.solves * gammaln(self.shape)


@dataclass(frozen=True, slots=True)
class NegativeBinomialLaw(Law):
    """Each token makes a step with the prompt's probability, and `shape` steps must be made."""

    def rate(self, theta: Array) -> Array:
        """The probability of a step."""
        return expit(theta)

    def theta(self, rate: Array) -> Array:
        """The log odds of a step."""
        return logit(rate)

    def terms(self, counts: Counts, theta: Array) -> Terms:
        """Of solves K log p + (T - K) log(1 - p), of cut ones log Pr[Bin(c, p) < K]."""
        where, length, many = counts.cut
        steps, p = self.shape * counts.solves, expit(theta)
        failed = counts.tokens - steps
        tail, y, curved = self._tail(theta[where], length)
        sums = [np.bincount(where, many * part, len(theta)) for part in (tail, y, curved)]
        logs = -steps * np.logaddexp(0, -theta) - failed * np.logaddexp(0, theta)
        spent = counts.tokens * p
        return Terms(logs + sums[0], steps - spent - sums[1], -spent * (1 - p) - sums[2])

    def _tail(self, theta: Array, length: Array) -> tuple[Array, Array, Array]:
        """log Pr[Bin(c, p) < K] and, negated, its first and second derivative in theta."""
        k, p = self.shape, expit(theta)
        left = np.maximum(length - k + 1, 1.0)
        upper, log_p = betaincc(k, left, p), -np.logaddexp(0, -theta)
        density = k * log_p - left * np.logaddexp(0, theta) - betaln(k, left)
        ratio = np.minimum(
            (k - 1) * np.exp(np.minimum(-theta, 500)) / (left + 1), 0.5
        )  # of k - 2 steps to k - 1
        with np.errstate(divide="ignore", invalid="ignore"):
            leading = density - np.log(left) - log_p - np.log1p(-ratio)
            logs = np.where(upper > _DEEP, np.log(upper), leading)
        y = np.exp(density - logs)
        curved = y * (k * (1 - p) - left * p + y)
        short = length < k
        return np.where(short, 0, logs), np.where(short, 0, y), np.where(short, 0, curved)

    def constant(self, counts: Counts) -> Array:
        """Sum of log C(T - 1, K - 1) over solves; -infinity where one has fewer than K tokens."""
        where, length, many = counts.solved
        k = self.shape
        with np.errstate(invalid="ignore"):
            logs = gammaln(length) - gammaln(np.maximum(length - k + 1, 1)) - gammaln(k)
        logs = np.where(length < k, -np.inf, logs)
        return np.bincount(where, many * logs, len(counts.solves))
