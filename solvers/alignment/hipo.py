"""HIPO's Algorithm 1 on finite problems: expected and sampled dynamics, and what it aims at.

A problem's `rewards` are the user's scores, its `safety` those of the system.  Per step the
policy's logits move along (1/G) sum_i A_i score_i with A = A_user + multiplier A_system, then the
multiplier moves by the shortfall of the system's score.  A score that does not vary within a group
gives no advantage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from ..errors import ModelError
from ..sequences import Array
from .best_of_n import groups
from .checks import check_choice, check_count, check_flag, check_kind, real
from .groups import gradient
from .problems import Problem, as_printed, rational
from .tilts import ready


def standardised(scores: Array, *, normalised: bool = True) -> Array:
    """Scores [G] less their mean, over their population standard deviation if `normalised`.

    0 where they do not vary; rationals become balls if `normalised`.
    """
    centred: Array = scores - scores.sum() / len(scores)
    if not normalised:
        return centred
    if (scores == scores[0]).all():
        constant: Array = ready(centred)
        return constant
    variance = (centred * centred).sum() / len(scores)
    if scores.dtype != object:
        found: Array = centred / np.sqrt(variance)
        return found
    found = ready(centred) / ready(variance).sqrt()
    return found


def expected_direction(
    policy: Array, user: Array, system: Array, multiplier: Any, size: int,
    *, normalised: bool = True,
) -> Array:  # fmt: skip
    """The expected update of the logits of one prompt by a group of `size`, [Y].

    All groups are gone through: Fractions stay exact, or balls if `normalised`.  Raises ModelError
    for groups of fewer than 2.
    """
    _refuse_size(size)
    if normalised and policy.dtype == object:
        policy, multiplier = ready(policy), ready(multiplier)
    pulled = [policy[0] * 0] * len(policy)
    for group, chance in groups(policy, size):
        at = list(group)
        advantage = standardised(user[at], normalised=normalised) + multiplier * standardised(
            system[at], normalised=normalised
        )
        for y, one in zip(group, advantage, strict=True):
            pulled[y] = pulled[y] + chance * one / size
    total = np.array(pulled)
    found: Array = total - policy * total.sum()
    return found


def _refuse_size(size: int) -> None:
    check_count(size, "size")
    if size < 2:
        raise ModelError(f"a group of {size} has no spread to be divided by; take at least 2")


@dataclass(frozen=True, slots=True)
class Options:
    """Of a run.  level: tau; size: G; step, multiplier_step: of logits and multiplier; memory:
    weight of the past in the moving average of the system's score, 0 for none; cap: largest
    multiplier;
    normalised: whether scores are divided by their standard deviation; kl: where the divergence is,
    in the ``loss`` (as printed) or in the user's ``reward``.

    The defaults are the listed ones, but for `step`, which is that of plain gradient steps.
    """

    level: float = 0.7
    size: int = 4
    step: float = 0.1
    multiplier_step: float = 0.07
    first: float = 2.0
    memory: float = 0.9
    cap: float = 20.0
    normalised: bool = True
    kl: str = "loss"

    def __post_init__(self) -> None:
        _refuse_size(self.size)
        check_choice(self.kl, "kl", ("loss", "reward"))
        check_flag(self.normalised, "normalised")
        real(self.level, "level")
        real(self.step, "step", above=0)
        real(self.multiplier_step, "multiplier_step", above=0)
        if not real(self.memory, "memory", least=0) < 1:
            raise ModelError(f"memory is {self.memory}; it must be below 1")
        real(self.cap, "cap", least=0)
        real(self.first, "first", least=0, most=self.cap)


@dataclass(frozen=True, slots=True)
class Path:
    """Of runs: multipliers, user and system scores of the policy, each [steps, runs], and the last
    policies [runs, X, Y]."""

    multipliers: Array
    user: Array
    system: Array
    policies: Array


def _softmax(logits: Array) -> Array:
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: Array = weights / weights.sum(axis=-1, keepdims=True)
    return found


def _advantages(scores: Array, normalised: bool) -> Array:
    """`standardised` for groups [.., G] of floats."""
    centred: Array = scores - scores.mean(axis=-1, keepdims=True)
    if not normalised:
        return centred
    spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True))
    found: Array = np.where(spread > 1e-12, centred / np.where(spread > 1e-12, spread, 1), 0)
    return found


class _Runs:
    """What both dynamics share: scores, the record, the multiplier's step."""

    def __init__(self, problem: Problem, options: Options, runs: int, steps: int) -> None:
        data = problem.floats()
        self.law, self.user, self.system = data.prompt_law, data.rewards, data.safety
        self.reference, self.heat, self.options = data.reference, data.temperature, options
        self.logits = np.tile(np.log(data.reference), (runs, 1, 1))
        self.multiplier = np.full(runs, options.first)
        self.average: Array | None = None
        self.record = np.zeros((3, steps, runs))

    def observe(self, t: int) -> Array:
        """The policies [runs, X, Y], their scores recorded."""
        policies = _softmax(self.logits)
        means = [np.einsum("x,rxy,xy->r", self.law, policies, f) for f in (self.user, self.system)]
        self.record[:, t] = self.multiplier, *means
        return policies

    def rewards(self, policies: Array) -> Array:
        """The user's scores [runs, X, Y], less the divergence's part where it belongs to them."""
        found = np.broadcast_to(self.user, policies.shape)
        if self.options.kl == "loss":
            return found
        return found - self.heat * np.log(policies / self.reference)

    def move(self, observed: Array) -> None:
        """The multiplier, by the system's scores [runs] or their moving average."""
        memory, o = self.options.memory, self.options
        past = observed if self.average is None else self.average
        self.average = memory * past + (1 - memory) * observed
        moved = self.multiplier - o.multiplier_step * (self.average - o.level)
        self.multiplier = np.clip(moved, 0, o.cap)

    def path(self) -> Path:
        multipliers, user, system = self.record
        return Path(multipliers, user, system, _softmax(self.logits))


def mean_field(problem: Problem, options: Options, steps: int) -> Path:
    """Every update replaced by its expectation over prompts and groups; one run, in floats."""
    run = _Runs(problem, options, 1, steps)
    tuples = np.array(list(product(range(run.user.shape[1]), repeat=options.size)))
    for t in range(steps):
        (policy,) = run.observe(t)
        (user,) = run.rewards(policy[None])
        gains = _advantages(user[:, tuples], options.normalised)
        gains = gains + run.multiplier[0] * _advantages(run.system[:, tuples], options.normalised)
        weighted = policy[:, tuples].prod(axis=-1)[..., None] * gains / options.size
        for x, row in enumerate(weighted):
            pulled = np.bincount(tuples.ravel(), row.ravel(), policy.shape[1])
            run.logits[0, x] += options.step * run.law[x] * (pulled - policy[x] * pulled.sum())
        run.move(run.record[2, t])
    return run.path()


def sampled(
    problem: Problem, options: Options, steps: int, runs: int, generator: np.random.Generator
) -> Path:
    """Algorithm 1 with one prompt and one group a step, `runs` independent runs at once."""
    run, every = _Runs(problem, options, runs, steps), np.arange(runs)
    for t in range(steps):
        policies = run.observe(t)
        prompts = generator.choice(len(run.law), size=runs, p=run.law)
        rows = policies[every, prompts]
        uniforms = generator.random((runs, options.size, 1))
        drawn = (uniforms > rows.cumsum(axis=1)[:, None, :-1]).sum(axis=2)
        user = run.rewards(policies)[every[:, None], prompts[:, None], drawn]
        system = run.system[prompts[:, None], drawn]
        gains = _advantages(user, options.normalised)
        gains = gains + run.multiplier[:, None] * _advantages(system, options.normalised)
        if options.kl == "loss":
            gains = gains - run.heat  # the k1 term: its gradient is the score itself
        pulled = np.zeros_like(rows)
        np.add.at(pulled, (every[:, None], drawn), gains / options.size)
        run.logits[every, prompts] += options.step * (pulled - rows * gains.mean(1)[:, None])
        run.move(system.mean(axis=1))
    return run.path()


def own_samples_only(policy: Array, sampling: Array, weight: Any) -> Array:
    """The expected update by -weight log(policy/reference) in a loss, for responses that come from
    `sampling`, [Y]: weight times (policy - sampling), which is 0 for the policy's own."""
    pulled = -weight * sampling
    found: Array = pulled - policy * pulled.sum()
    return found


def in_reward(policy: Array, reference: Array, weight: Any) -> Array:
    """The expected update by -weight log(policy/reference) in the reward, [Y], in balls."""
    p, q = ready(policy), ready(reference)
    return gradient(p, -ready(weight) * np.log(p / q))


@dataclass(frozen=True, slots=True)
class Vertex:
    """A best policy without a divergence: policy [X, Y], its scores, the least dual value."""

    policy: Array
    user: Fraction
    system: Fraction
    multiplier: Fraction
    dual: Fraction


def constrained_vertex(problem: Problem, level: Fraction) -> Vertex:
    """The largest user score with system score >= level, exactly; the temperature is not used.

    Each prompt gives one response, but for one at most.  Raises ModelError if no policy meets the
    level, saying by how much, or the problem is not of rationals.
    """
    level = _exact_level(problem, level)
    law, user, system = problem.prompt_law, problem.rewards, problem.safety
    lack = level - (law * system.max(axis=1)).sum()
    if lack > 0:
        raise ModelError(f"no policy meets level {level}: it is {lack} too high; lower it")
    multiplier = min(_breaks(user, system), key=lambda lam: (_dual(problem, level, lam), lam))
    kept = [_best(user[x] + multiplier * system[x]) for x in range(len(law))]
    chosen = [max(at, key=lambda y: (user[x][y], system[x][y])) for x, at in enumerate(kept)]
    safest = [max(at, key=lambda y: (system[x][y], user[x][y])) for x, at in enumerate(kept)]
    policy = user * 0
    missing = level - sum((law[x] * system[x, y] for x, y in enumerate(chosen)), Fraction(0))
    for x, (one, two) in enumerate(zip(chosen, safest, strict=True)):
        gain = law[x] * (system[x, two] - system[x, one])
        share = Fraction(0) if missing <= 0 or gain <= 0 else min(missing / gain, Fraction(1))
        policy[x, one] += 1 - share
        policy[x, two] += share
        missing -= share * gain
    reached, kept_safe = ((law[:, None] * policy * f).sum() for f in (user, system))
    return Vertex(policy, reached, kept_safe, multiplier, _dual(problem, level, multiplier))


def _exact_level(problem: Problem, level: Any) -> Fraction:
    rational(problem)
    found: Fraction = as_printed(level, "level")
    check_kind(found, "level", Fraction, "give a rational number, no ball")
    return found


def _best(values: Array) -> list[int]:
    top = values.max()
    return [y for y, one in enumerate(values) if one == top]


def _breaks(user: Array, system: Array) -> Sequence[Fraction]:
    """0 and the multipliers at which two responses to a prompt are worth the same."""
    found = {Fraction(0)}
    for u, s in zip(user, system, strict=True):
        for i, j in product(range(len(u)), repeat=2):
            if s[j] > s[i] and u[i] > u[j]:
                found.add((u[i] - u[j]) / (s[j] - s[i]))
    return sorted(found)


def _dual(problem: Problem, level: Fraction, multiplier: Fraction) -> Fraction:
    best = (problem.rewards + multiplier * problem.safety).max(axis=1)
    found: Fraction = (problem.prompt_law * best).sum() - multiplier * level
    return found


def lock_step(problem: Problem, level: Fraction) -> tuple[Fraction, Fraction]:
    """User and system score of the policy that gives response 0 with one and the same probability
    to all prompts and has the system score `level`; exact.

    Raises ModelError unless there are two responses, ranked oppositely by the two scores for every
    prompt, and the level lies between the system's scores of always the one and always the other.
    """
    level = _exact_level(problem, level)
    law, user, system = problem.prompt_law, problem.rewards, problem.safety
    if user.shape[1] != 2 or not (
        (user[:, 0] > user[:, 1]).all() and (system[:, 0] < system[:, 1]).all()
    ):
        raise ModelError(
            "lock-step is about two responses, the first better for the user and the second for "
            "the system, for every prompt"
        )
    ends = [[(law * f[:, y]).sum() for y in (0, 1)] for f in (user, system)]
    (u, v), (s, t) = ends
    if not s <= level <= t:
        raise ModelError(f"level {level} is outside [{s}, {t}], what the two responses reach")
    p = (t - level) / (t - s)
    return p * u + (1 - p) * v, p * s + (1 - p) * t
