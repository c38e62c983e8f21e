"""The safe tuner: ask for a target, tell what was observed there.

PLS's Algorithm 1 without its training; lines named below are those of that algorithm.  Changed by
us, each with a switch back in `Tuning`: the initial interval (line 2), the rule of certification
(line 7), the sign before L d (line 10), and the target that is kept in the end (line 25).
"""

from __future__ import annotations

from math import inf
from typing import Literal

import numpy as np

from ...errors import ModelError
from ..gaussian.checks import Floats, Indices, finite
from ..gaussian.confidence import alpha_bayes, alpha_exact, alpha_one_sided, beta_determinant
from ..gaussian.posterior import OutOfFloats, Posterior
from . import assumptions
from .methods import METHODS, View
from .problem import STAGED, Surface, Tuning, target_index
from .proposals import Phase, Proposal, Step
from .safe_sets import Mask, SafeSet

_AHEAD = 1000
"""Evaluations for which the noise must suffice from the start: more refuses tunings that end
earlier, fewer lets some be lost after so much work."""


class Tuner:
    """A tuning under way; what it proposes is a function of what it was told, and of nothing else.

    stopped: why there is nothing more to propose, or None; refuted: which observation contradicts
    what the promise rests on, which ends the tuning, or None; unsafe: a certified target that is
    not safe by what was observed, with its lower bound, or None; prior: what the cost's prior alone
    certifies, or None.  Another tuner that is told the same is equal to it bit for bit.

    Raises ModelError if the prior certifies targets and is not to be trusted, if it says that a
    seed is not safe, or if the noise is too small for float64 and so many evaluations.
    """

    def __init__(self, tuning: Tuning) -> None:
        self.tuning = tuning
        self._steps: list[Step] = []
        self.stopped: str | None = None
        self.refuted: str | None = None
        self._cost = _posterior(tuning, "cost")
        self._reward = _posterior(tuning, "reward")
        self._safe = SafeSet(tuning)
        self._exploring = True
        count = len(tuning.points)
        low, high = tuning.cost_range
        self._low, self._high = np.full(count, low), np.full(count, high)
        begin = list(tuning.seeds) if tuning.initial == "seeds" else slice(None)
        self._high[begin] = tuning.limit
        self._contradicted = False
        self.unsafe: tuple[int, float] | None = None
        self._refresh()
        self.prior = self._check_prior()
        self._next = self._choose()

    @property
    def history(self) -> tuple[Step, ...]:
        """The steps so far."""
        return tuple(self._steps)

    @property
    def safe(self) -> Mask:
        """bool[N], the targets that are certified."""
        return self._safe.member.copy()

    @property
    def bounds(self) -> tuple[Floats, Floats, Floats, Floats]:
        """float[N] each: lower and upper bounds of the costs, then of the rewards."""
        return self._low.copy(), self._high.copy(), self._gain_low.copy(), self._gain_high.copy()

    def ask(self) -> Proposal | None:
        """The target to evaluate next, the same until something is told; None once stopped."""
        return self._next

    def tell(self, where: Proposal | int, reward: float, cost: float) -> None:
        """Take in an observation, of the proposed target or of any other of the grid.

        reward, cost: un-normalised returns, averaged over as many episodes as `noise` is for.
        Raises ModelError, and takes in nothing, for an index outside the grid, a number that is not
        finite or too large for float64, a cost outside cost_range, or a proposal of another tuner.
        """
        index = self._index(where)
        reward, cost = _checked(self.tuning, index, reward, cost)
        proposal, width = self._next, float(self._gain_high[index] - self._gain_low[index])
        known = float(self._low[index]), float(self._high[index])
        before = self._cost.before(), self._reward.before()
        try:
            self._cost.append(index, cost)
            self._reward.append(index, reward)
            self._refresh()
        except ModelError as error:
            self._cost, self._reward = before
            if not isinstance(error, OutOfFloats):  # the kernels are wrong for any data here
                self.stopped, self._next = f"The bounds are lost: {error}.", None
                self.refuted = self.stopped
            raise
        if self.refuted is None and self._heeds:
            self.refuted = self._contradiction(index, cost, known)
        self._steps.append(
            Step(
                index=index,
                proposal=proposal,
                asked=proposal is not None and proposal.index == index,
                reward=reward,
                cost=cost,
                safe_count=int(self._safe.member.sum()),
                cost_bounds=(float(self._low[index]), float(self._high[index])),
                reward_bounds=(float(self._gain_low[index]), float(self._gain_high[index])),
                reward_width=width,
                exceeded=cost > self.tuning.limit,
                contradicted=self._contradicted or self.refuted is not None,
            )
        )
        self._next = self._choose()

    def recommend(self) -> int:
        """The target to use from now on, certified as safe.

        PLS: of the targets tried while maximising, the one whose reward's bounds were closest
        beforehand, so that its regret is at most their width on the event (ours; the paper keeps
        the last).  Otherwise, and before maximising began: the largest lower bound of the reward.
        Raises ModelError where the tuning stopped since its assumptions are contradicted.
        """
        if self.refuted is not None:
            raise ModelError(f"no target can be recommended: {self.refuted}")
        tried = self._maximised()
        if self.tuning.method == "pls" and tried:
            return min(tried, key=lambda step: step.reward_width).index
        return int(np.where(self._safe.member, self._gain_low, -np.inf).argmax())

    def _maximised(self) -> list[Step]:
        """The steps that answered a proposal of the second stage."""
        asked = (step for step in self._steps if step.asked and step.proposal is not None)
        return [step for step in asked if step.proposal and step.proposal.phase == "maximise"]

    def _index(self, where: Proposal | int) -> int:
        if not isinstance(where, Proposal):
            return target_index(where, len(self.tuning.points))
        index = target_index(where.index, len(self.tuning.points))
        if where != self._next and all(where != step.proposal for step in self._steps):
            raise ModelError(
                f"the proposal of {where.target} was not made by this tuner, but for another grid "
                "or history; give what its ask() returned, or the index of the target"
            )
        return index

    def _refresh(self) -> None:
        """Lines 5 to 7: the intervals, which are nested, and the certified set."""
        low, high = self._cost.bounds(self._alpha(self.tuning.cost, self._cost))
        gain = self._reward.bounds(self._alpha(self.tuning.reward, self._reward))
        new_low, new_high = np.maximum(low, self._low), np.minimum(high, self._high)
        empty = new_low > new_high
        self._empty = [(int(z), float(new_low[z]), float(new_high[z])) for z in
                       np.flatnonzero(empty & self._bounded())[:1]]  # fmt: skip
        self._contradicted |= bool(empty.any()) and self.tuning.method != "losbo"
        changed = (new_high < self._high) & ~empty
        self._low, self._high = np.where(empty, (self._low, self._high), (new_low, new_high))
        self._gain_low, self._gain_high = gain
        if self.unsafe is None and self.tuning.method != "losbo":
            self._blame(low)
        if self.tuning.method == "losbo":
            self._observe()
        else:
            self._safe.grow(self._high, changed)

    def _observe(self) -> None:
        """LoSBO: what is certified is within distance of an observation; no posterior is used."""
        if not self._cost.observations[0]:
            return
        index, cost = self._cost.observations[0][-1], self._cost.observations[1][-1]
        bound = self.tuning.noise_bound or 0.0
        least = np.full(len(self._low), -np.inf)
        least[index] = np.nextafter(cost - bound, -np.inf)
        if self.unsafe is None:
            self._blame(least)
        source = np.array([index])
        self._safe.reach(source, np.nextafter(np.array([cost + bound]), np.inf))

    def _blame(self, lower: Floats) -> None:
        """Note a certified target whose cost is above the limit by its lower bound alone."""
        wrong = self._safe.member & (lower > self.tuning.limit)
        if wrong.any():
            index = int(wrong.argmax())
            self.unsafe = index, float(lower[index])
            self.refuted = self.refuted or assumptions.unsafe(self.tuning, *self.unsafe)

    @property
    def _heeds(self) -> bool:
        """Whether contradictions end it: there is a promise, which is not only compared with."""
        return self.tuning.promises and not self.tuning.unsafe_comparison

    def _bounded(self) -> Mask:
        """bool[N], where upper bounds are meant: as printed, they begin at the limit everywhere."""
        everywhere = self.tuning.initial == "seeds"
        return np.ones_like(self._safe.member) if everywhere else self._safe.member

    def _contradiction(self, index: int, cost: float, known: tuple[float, float]) -> str | None:
        """What this observation shows of the assumptions; known: the bounds there before it."""
        tuning, safe = self.tuning, self._safe
        if tuning.method == "losbo":
            return assumptions.not_bounded(tuning, safe, *self._cost.observations) or None
        found, bounded = "", self._bounded()
        if self._empty:
            return assumptions.empty(tuning, *self._empty[0])
        low, high = known[0], known[1] if bounded[index] else inf
        found = assumptions.too_loud(tuning, index, cost, low, high, len(self._steps) + 1)
        if not found and tuning.lipschitz and bounded[index]:
            found = assumptions.too_steep(tuning, safe, index, self._low, self._high, bounded)
        return found or None

    def _check_prior(self) -> str | None:
        """What the prior alone certifies; raises ModelError where that cannot be meant."""
        tuning, mean = self.tuning, assumptions.full(self.tuning.cost.prior_mean)
        deviation = assumptions.full(tuning.cost.kernel.largest**0.5)
        says = f"the mean {mean} and the deviation {deviation} of the cost say, before anything is "
        says += "observed, that"
        if self._heeds and tuning.method != "losbo" and (self.unsafe or self._empty):
            index, low = self.unsafe or self._empty[0][:2]
            what = "has a cost outside cost_range"
            if self.unsafe:
                what = f"costs at least {low:.6g}, which is above the limit, and it is a seed"
            raise ModelError(
                f"{says} target {index} {what}; give a mean that is nearer, or a larger deviation"
            )
        early, others = int(self._safe.member.sum()) - len(tuning.seeds), len(tuning.points)
        if not early:
            return None
        says += f" {early} of the {others - len(tuning.seeds)} targets beside the seeds are safe"
        says += f" for the limit {assumptions.full(tuning.limit)}"
        if not (tuning.trust_prior or tuning.unsafe_comparison):
            raise ModelError(
                f"{says}. A mean of 0 for raw costs says just that, and is hardly meant: give a "
                "mean at the limit or above, or a larger deviation; or, if you do know it, "
                "trust_prior=True (--trust-prior)"
            )
        return says

    def _alpha(self, surface: Surface, posterior: Posterior) -> float:
        word, failure = self.tuning.confidence, self.tuning.failure
        if not isinstance(word, str):
            return word
        if word == "determinant":
            noise, norm = surface.noise, surface.norm or 0.0
            return beta_determinant(norm, noise, noise**2, posterior.information, failure)
        alpha = {"bayes": alpha_bayes, "exact": alpha_exact, "one-sided": alpha_one_sided}[word]
        step = len(posterior.observations[0]) + 1
        return alpha(len(self.tuning.points), step, failure)

    def _expands(self, candidates: Indices) -> Mask:
        if self.tuning.rule != "direct":
            return self._safe.expanders(candidates, self._low)
        alpha = self._alpha(self.tuning.cost, self._cost)
        return self._safe.fictitious_expanders(candidates, self._low, self._cost, alpha)

    def _choose(self) -> Proposal | None:
        """Lines 8 to 13, or the sentence that says why there is nothing more to do."""
        if self.refuted is not None:
            self.stopped = self.refuted
        elif self.stopped is None:
            self.stopped = self._finished()
        if self.stopped is not None:
            return None
        if self.tuning.explorations is not None:
            self._exploring &= len(self._steps) < self.tuning.explorations
        choice = METHODS[self.tuning.method](
            View(
                tuning=self.tuning,
                safe=self._safe.member,
                cost_low=self._low,
                cost_high=self._high,
                reward_low=self._gain_low,
                reward_high=self._gain_high,
                expands=self._expands,
                exploring=self._exploring,
            )
        )
        if choice is None:
            self.stopped = (
                f"No expander's cost is uncertain by more than {self.tuning.tolerance}, and no "
                f"maximiser's reward by more than {self.tuning.accuracy or 0.0}."
            )
            return None
        self._exploring &= choice[1] == "expand"
        return self._proposal(*choice)

    def _finished(self) -> str | None:
        most, accuracy = self.tuning.evaluations, self.tuning.accuracy
        if most is not None and len(self._steps) >= most:
            return f"All {most} evaluations are made."
        if accuracy is None or self.tuning.method not in STAGED:
            return None
        width, index = min(((s.reward_width, s.index) for s in self._maximised()), default=(inf, 0))
        if width > accuracy:
            return None
        return (
            f"The reward at target {index} is at most {width:.6g} below the best of what was "
            f"certified when it was tried, which is within the accuracy {accuracy}."
        )

    def _proposal(self, index: int, phase: Phase) -> Proposal:
        if phase == "expand" and index in self.tuning.seeds:
            phase = "seed"
        owner, bound = int(self._safe.by[index]), float(self._safe.upper[index])
        if self.tuning.method != "losbo" and self._high[index] < bound:
            owner, bound = index, float(self._high[index])
        return Proposal(
            index=index,
            target=tuple(self.tuning.points[index].tolist()),
            phase=phase,
            reason=self._reason(index, owner, bound),
            certified_by=None if owner in (-1, index) else owner,
            upper=bound,
        )

    def _reason(self, index: int, owner: int, bound: float) -> str:
        limit = f"at most the limit {assumptions.full(self.tuning.limit)}"
        known = assumptions.shown(bound, self.tuning.limit)
        if not self._safe.member[index]:
            return f"Target {index} is not certified: {self.tuning.method} does not ask for safety."
        if owner == -1:
            return f"Target {index} is a seed, whose cost is promised to be {limit}."
        word = "safe" if self.tuning.promises else "certified by rules that promise nothing here"
        if owner == index:
            return f"Target {index} is {word}: the bound on its own cost is {known}, {limit}."
        losbo = self.tuning.method == "losbo"
        what = "cost observed, plus the bound on the noise," if losbo else "bound on the cost"
        return (
            f"Target {index} is {word}: the {what} at target {owner} and the Lipschitz constant "
            f"times the distance from there come to {known}, {limit}."
        )


def _posterior(tuning: Tuning, name: Literal["cost", "reward"]) -> Posterior:
    surface: Surface = getattr(tuning, name)
    found = Posterior(surface.kernel, tuning.points, surface.noise**2, surface.prior_mean)
    most = max(1, min(tuning.evaluations or 0, _AHEAD))
    if surface.noise <= (least := found.least_noise(most)):
        raise ModelError(
            f"the noise of the {name}, of standard deviation {surface.noise}, is too small for "
            f"{most} evaluations beside a deviation of {surface.kernel.largest**0.5:.6g} over "
            f"targets: float64 needs more than {least:.2g}; give more noise or fewer evaluations"
        )
    return found


def _checked(tuning: Tuning, index: int, reward: float, cost: float) -> tuple[float, float]:
    reward = finite(reward, f"the reward observed at target {index}, which was not taken in,")
    cost = finite(cost, f"the cost observed at target {index}, which was not taken in,")
    low, high = tuning.cost_range
    if not low <= cost <= high:
        raise ModelError(
            f"the cost {cost} observed at target {index} is outside cost_range {low} to {high}; "
            "nothing was taken in, so correct the observation or the range"
        )
    return reward, cost
