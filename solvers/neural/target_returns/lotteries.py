"""A transformer on a process small enough to be enumerated: exact returns, laws, gradients.

The process: three times the choice between 1 for sure and a lottery for 3, which is won with
probability 1/2 if the draw is good and 1/10 if it is bad; it is good at first, then by a fair coin.
The best return is 3/2 + 2 (1/2) (3/2 + 1) = 4.  A policy that is asked for much enters bad
lotteries too, since only they can still pay for it: in all of them the return is 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import exp
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...target_returns.groups.process import Episode, Past, Process, Told, episodes, seen
from .discrete import ReturnTransformer, Steps

STEPS, MOST = 3, 9
"""Actions of an episode, and the largest return."""
_HALF = Fraction(1, 2)
Key = tuple[Past, int, Told]


def _outcomes(time: int, win: Fraction) -> tuple[Any, ...]:
    later = (2 * (time + 1), 2 * (time + 1) + 1) if time + 1 < STEPS else (2 * time,)
    share = Fraction(1, len(later))
    sure = tuple((share, 1, to) for to in later)
    drawn = tuple((p * share, pay, to) for p, pay in ((win, 3), (1 - win, 0)) for to in later)
    return sure, drawn


LOTTERIES = Process(
    tuple(_outcomes(t, win) for t in range(STEPS) for win in (_HALF, _HALF / 5)), STEPS
)
"""State 2 t is a good draw at time t, state 2 t + 1 a bad one."""


def beside(paths: Sequence[Past], target: int, *, relabel: bool = False) -> list[Told]:
    """What a policy that is asked for `target` is told at each step, or what hindsight writes."""
    found = (Episode(path, Fraction(1)) for path in paths)
    return [one.relabelled() if relabel else one.intended(target) for one in found]


def steps_of(paths: Sequence[Past], written: Sequence[Told]) -> Steps:
    """What a transformer sees of each path, with what is written beside its steps."""
    shape = len(paths), STEPS
    states, rest = np.zeros((*shape, 2 * STEPS), np.float32), np.zeros((3, *shape), np.int64)
    for row, (path, told) in enumerate(zip(paths, written, strict=True)):
        for t, (state, action, _) in enumerate(path):
            states[row, t, state] = 1
            rest[:, row, t] = min(max(told[t], 0), MOST), action, 1
    returns, actions, there = map(torch.from_numpy, rest)
    times = torch.arange(STEPS).repeat(shape[0], 1)
    return Steps(
        torch.from_numpy(states), returns, actions, torch.zeros_like(times), times, there.bool()
    )


def log_chances(
    network: ReturnTransformer, paths: Sequence[Past], written: Sequence[Told]
) -> Tensor:
    """float64[B, T]: the logarithm of the probability of each action, given what is written."""
    steps = steps_of(paths, written)
    laws = network(steps)[1].double().log_softmax(dim=-1)
    return laws.gather(-1, steps.actions[..., None])[..., 0]


FOUND = tuple(episodes(LOTTERIES, 0))
"""All episodes."""
_PATHS = [episode.steps for episode in FOUND]
_WEIGHTS = torch.tensor([float(episode.chance) for episode in FOUND], dtype=torch.float64)
_TOTALS = torch.tensor([episode.total for episode in FOUND], dtype=torch.float64)


def expected_return(network: ReturnTransformer, target: int) -> Tensor:
    """The expected return of the policy that is asked for `target`, over all episodes; float64."""
    chances = log_chances(network, _PATHS, beside(_PATHS, target)).sum(dim=1).exp()
    return (_WEIGHTS * chances * _TOTALS).sum()


def expected_estimate(network: ReturnTransformer, target: int, *, relabel: bool) -> Tensor:
    """The expectation of (R - J) score over all episodes, float64[parameters].

    The gradient of the expected return, if not `relabel`.
    """
    with torch.no_grad():
        chances = log_chances(network, _PATHS, beside(_PATHS, target)).sum(dim=1).exp()
        weights = _WEIGHTS * chances
        weights = weights * (_TOTALS - (weights * _TOTALS).sum())
    scored = log_chances(network, _PATHS, beside(_PATHS, target, relabel=relabel)).sum(dim=1)
    parts = torch.autograd.grad(
        (weights * scored).sum(), [*network.parameters()], allow_unused=True
    )
    return torch.cat([part.double().ravel() for part in parts if part is not None])


@dataclass(frozen=True)
class Tabled:
    """What a network does on every path, exactly as its log-odds in float64 say.

    log_odds: the rationals that they are; their exponentials in float64 make rational laws.
    """

    log_odds: dict[Key, tuple[Fraction, ...]]

    @classmethod
    def of(cls, network: ReturnTransformer, target: int) -> Tabled:
        """On every path, told what follows from `target` or what hindsight writes."""
        found: dict[Key, tuple[Fraction, ...]] = {}
        for relabel in (False, True):
            written = beside(_PATHS, target, relabel=relabel)
            with torch.no_grad():
                laws = network(steps_of(_PATHS, written))[1].double().log_softmax(dim=-1)
            for episode, told, rows in zip(FOUND, written, laws.tolist(), strict=True):
                for key, row in zip(seen(episode, told), rows, strict=True):
                    found.setdefault(key, tuple(map(Fraction, row)))
        return cls(found)

    def law(self, past: Past, state: int, told: Told) -> tuple[Fraction, ...]:
        """The probabilities of the actions."""
        odds = [Fraction(exp(one)) for one in self.log_odds[past, state, told]]
        return tuple(one / sum(odds) for one in odds)

    def slopes(self, past: Past, state: int, told: Told) -> tuple[Fraction, ...]:
        """The log-odds."""
        return self.log_odds[past, state, told]

    def since(self, other: Tabled) -> Tabled:
        """The direction in which log-odds moved from another network to this one."""
        pairs = ((key, mine, other.log_odds[key]) for key, mine in self.log_odds.items())
        return Tabled({k: tuple(a - b for a, b in zip(x, y, strict=True)) for k, x, y in pairs})
