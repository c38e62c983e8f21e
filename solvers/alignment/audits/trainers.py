"""What the expected gradient of a loss is, on bandits so small that every group is enumerated.

A `Subject` gives the gradient of its loss on one group of G responses of one prompt, or on one
pair, with respect to the logits of a softmax over K responses.  Its expectation over all groups is
then held against closed forms: multiples of pi (r - E r), which is the gradient of the mean reward,
and of the gradients of KL(pi, reference) and KL(reference, pi).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any, Protocol

import numpy as np
from scipy import optimize

from ...errors import ModelError
from ...sequences import Array

POLICY = (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6))
"""Where gradients are taken."""
REFERENCE = (Fraction(1, 4), Fraction(1, 4), Fraction(1, 2))
"""The gradient of the forward divergence is then (1/4, 1/12, -1/3), that of the reverse one about
(.217, .009, -.226)."""
REWARDS = (Fraction(1), Fraction(0), Fraction(1, 4))
"""Three rewards that are no multiple of each other's distances: a form fits them by chance only."""
_TWO_PROMPTS = (((1, 0), (0.95, 1)), ((1, 0.5), (0, 0.6)))
"""(user, system) of two responses of two prompts: what one prompt loses of the user's reward for a
unit of the system's is 1/20, of the other 10."""
ROUNDINGS = 512
"""Roundings that a gradient may have met on its way, each of a unit in the last place of the mass
of all gradients.  Chosen, not measured: forms that are told apart differ by 10,000 times as much
even in float32."""
_OPEN = "undecided: none of the known closed forms"
_STRENGTH = 3
"""Rewards of the fixed point over beta: laws of 1 - 1/G and of 1 are then 0.05 apart and more."""
_ITERATIONS = 60
"""Steps to a fixed point at most; a loss that obeys a closed form takes one."""


class Subject(Protocol):
    """A loss to be examined.

    group_size: G; beta, multiplier: what it states of itself, None if nothing; unit: half a unit in
    the last place of its arithmetic.
    """

    group_size: int
    beta: float | None
    multiplier: float | None
    unit: float

    def group(self, policy: Array, reference: Array, rewards: Array, drawn: Sequence[int]) -> Array:
        """The gradient on one group: policy, reference [K], rewards [K] or [K, R]; returns [K]."""

    def pair(self, policy: Array, reference: Array, chosen: int, rejected: int) -> Array:
        """The gradient on one pair of responses; returns [K]."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    form: the closed form that is obeyed, "none" if none of those that are known; words: the same
    for people; distance, bound: from the form, and what rounding may do; fault: whether the form
    contradicts what the loss is said to be; open: whether it is none of those that are known, which
    contradicts nothing and decides nothing.
    """

    check: str
    form: str
    words: str
    distance: float = 0.0
    bound: float = 0.0
    fault: bool = False
    open: bool = False


def stated(value: Any, name: str, least: str, words: str) -> float | None:
    """What a loss states of itself, such as its beta; None if nothing.

    least: "of 0 or more", or "above 0".  Raises ModelError, with `words` on why, for what is no
    finite number, or less.
    """
    if value is None:
        return None
    try:
        number = float("nan") if isinstance(value, (bool, str)) else float(value)
    except (TypeError, ValueError, RuntimeError):
        number = float("nan")
    if not np.isfinite(number) or number < 0 or (least == "above 0" and number == 0):
        shown = value if isinstance(value, (int, float, str)) else f"a {type(value).__name__}"
        raise ModelError(f"{name} is {shown}; give a finite number {least}, {words}")
    return number


def floats(values: Sequence[Fraction] | Sequence[float]) -> Array:
    """As float64."""
    return np.array([float(x) for x in values])


def gibbs(reference: Array, values: Array) -> Array:
    """The reference tilted by exp(values), normalised; [K]."""
    logits = np.log(reference) + values
    weights = np.exp(logits - logits.max())
    return np.asarray(weights / weights.sum())


def ascent(policy: Array, values: Array) -> Array:
    """pi (v - E v): the gradient of E v in the logits; [K]."""
    return np.asarray(policy * (values - policy @ values))


def expected(
    policy: Array, size: int, gradient: Callable[[tuple[int, ...]], Array]
) -> tuple[Array, float]:
    """The mean of minus the gradient over all groups, and the mean of its size; [K]."""
    total, mass = np.zeros(len(policy)), 0.0
    for drawn in product(range(len(policy)), repeat=size):
        chance = float(np.prod(policy[list(drawn)]))
        found = gradient(drawn)
        total -= chance * found
        mass += chance * float(np.abs(found).max())
    return total, mass


def examine_groups(subject: Subject) -> list[Finding]:
    """Scale of the rewards, direction and weight of the divergence, and the fixed point."""
    policy, reference, rewards = (floats(x) for x in (POLICY, REFERENCE, REWARDS))
    size = subject.group_size

    def step(at: Array, near: Array, values: Array) -> tuple[Array, float]:
        return expected(at, size, lambda drawn: subject.group(at, near, values, drawn))

    push, mass = step(policy, policy, rewards)
    doubled, _ = step(policy, policy, 2 * rewards)
    pull, pull_mass = step(policy, reference, 0 * rewards)
    bound = ROUNDINGS * subject.unit * max(mass, pull_mass, 1e-300)
    scale, first = _scale(subject, policy, rewards, push, doubled, bound)
    weight, second = _divergence(subject, policy, reference, pull, bound, scale)
    found = [first, second]
    if weight is not None and scale is not None:
        found.append(_fixed(subject, scale, weight, step))
    return found


def _fit(found: Array, form: Array) -> tuple[float, float]:
    """The multiple of a form that is nearest, and how far it is, at most in one entry."""
    factor = float(found @ form) / float(form @ form)
    return factor, float(np.abs(found - factor * form).max())


def _scale(
    subject: Subject, policy: Array, rewards: Array, push: Array, doubled: Array, bound: float
) -> tuple[float | None, Finding]:
    size, check = subject.group_size, "rewards"
    if np.abs(push).max() <= bound:
        return None, Finding(check, "none", "rewards do not move the policy", fault=True)
    factor, distance = _fit(push, ascent(policy, rewards))
    if distance <= bound:
        centred, one = Fraction(size - 1, size), Fraction(1)
        for form, value in (("1 - 1/G", centred), ("1", one)):
            if abs(factor - float(value)) * np.abs(push).max() <= bound * max(1.0, factor):
                words = f"the expected update is {form} times the gradient of the mean reward"
                return factor, Finding(check, form, words, distance, bound)
        words = f"the expected update is {factor:.6g} times the gradient of the mean reward"
        return factor, Finding(check, "other", words, distance, bound, factor < 0)
    if np.abs(doubled - push).max() <= 1e-2 * np.abs(push).max():  # a guard of 1e-4 is no scale
        near, distance = _nearest_standard(policy, rewards, size, push)
        words = f"rewards are standardised: twice the rewards give the same update{near}"
        return None, Finding(check, "standardised", words, distance, bound)
    words = f"{_OPEN}: no multiple of the gradient of the mean reward (off by {distance:.2g})"
    return None, Finding(check, "none", words, distance, bound, open=True)


def _nearest_standard(policy: Array, rewards: Array, size: int, push: Array) -> tuple[str, float]:
    found = []
    for bessel in (0, 1):
        for guard in (0.0, 1e-8, 1e-6, 1e-4):
            form, _ = expected(policy, size, _standardised(policy, rewards, size, bessel, guard))
            factor, distance = _fit(push, form)
            of = "G - 1" if bessel else "G"
            words = f", deviations over {of}, guard {guard:g}, times {factor:.6g}"
            found.append((distance, abs(factor - 1), words))
    least = min(found)[0]
    near = 1e-5 * float(np.abs(push).max())  # guards differ by more, roundings by less
    if least > near:
        return ", of no known form", least
    _, distance, words = min((one for one in found if one[0] <= near), key=lambda one: one[1])
    return words, distance


def _standardised(
    policy: Array, rewards: Array, size: int, bessel: int, guard: float
) -> Callable[[tuple[int, ...]], Array]:
    eye = np.eye(len(policy))

    def gradient(drawn: tuple[int, ...]) -> Array:
        values = rewards[list(drawn)]
        if values.min() == values.max():
            return np.zeros(len(policy))
        away = (values - values.mean()) / (values.std(ddof=bessel) + guard)
        return np.asarray(-(away @ (eye[list(drawn)] - policy)) / size)

    return gradient


def _divergence(
    subject: Subject, policy: Array, reference: Array, pull: Array, bound: float,
    scale: float | None,
) -> tuple[float | None, Finding]:  # fmt: skip
    """The weight of the reverse divergence, None if there is none, and what was found.

    A factor of the whole loss is a learning rate: what counts is the weight for that of rewards.
    """
    check, beta = "divergence", subject.beta
    of = f" of beta = {beta:g}" if beta else ", and beta is 0" if beta == 0 else ""
    if np.abs(pull).max() <= bound:
        words = "the divergence from the reference has no expected gradient"
        words += ": beta is 0, and nothing holds the policy near the reference" if beta == 0 else ""
        return None, Finding(check, "absent", words, 0.0, bound, bool(beta))
    away = np.log(policy / reference)
    factor, distance = _fit(-pull, ascent(policy, away))
    if distance <= bound:
        share = factor / beta if beta else factor
        words = f"the gradient of KL(pi, reference), weight {share:.6g}{of}"
        centred = 1 - 1 / subject.group_size
        shares = (1, centred) if scale is None else (scale, scale / centred)
        right = beta is None or (beta > 0 and min(abs(share / x - 1) for x in shares) <= 1e-3)
        return factor, Finding(check, "reverse", words, distance, bound, factor < 0 or not right)
    forward, off = _fit(-pull, policy - reference)
    if off <= bound:
        share = forward / beta if beta else forward
        words = f"the gradient of KL(reference, pi), weight {share:.6g}{of}"
        return None, Finding(check, "forward", words, off, bound, beta is not None or forward < 0)
    least = min(distance, off)
    words = f"{_OPEN}: no multiple of the gradient of either divergence (off by {least:.2g})"
    return None, Finding(check, "none", words, least, bound, open=True)


def _fixed(
    subject: Subject, scale: float, weight: float,
    step: Callable[[Array, Array, Array], tuple[Array, float]],
) -> Finding:  # fmt: skip
    """Follow the expected update to where it ends; natural steps of 1/weight."""
    size, beta = subject.group_size, subject.beta or weight
    policy, reference, rewards = (floats(x) for x in (REFERENCE, REFERENCE, REWARDS))
    rewards = _STRENGTH * beta * rewards
    for _ in range(_ITERATIONS):
        before = policy
        policy = gibbs(policy, step(policy, reference, rewards)[0] / policy / weight)
        if np.abs(policy - before).max() <= ROUNDINGS * subject.unit:
            break
    laws = {
        "1/beta": gibbs(reference, rewards / beta),
        "(1 - 1/G)/beta": gibbs(reference, (1 - 1 / size) * rewards / beta),
    }
    away = {name: 0.5 * float(np.abs(policy - law).sum()) for name, law in laws.items()}
    form = min(away, key=lambda name: away[name])
    other = max(away, key=lambda name: away[name])
    ratio = scale / weight * beta
    words = (
        f"the reference tilted by exp({ratio:.4g} r/beta): total variation {away[form]:.2g} to "
        f"{form}, {away[other]:.2g} to {other}"
    )
    far = away[form] > 0.02
    fault = far and subject.beta is not None  # unstated, any temperature is as good
    return Finding("fixed point", "none" if far else form, words, away[form], 0.02, fault)


def examine_mixture(subject: Subject) -> Finding:
    """Whether two rewards are exchanged at the rate of the multiplier, or in lock-step.

    Two responses a prompt, ranked oppositely by the two rewards u and s.  At lam = 1/2 the one
    response is ahead of the other by 1/20 - 1/2 = -9/20 of the first prompt and by 1 - 1/20 = 19/20
    of the second; the update of u + lam s is proportional to these.
    """
    lam = 0.5 if subject.multiplier is None else subject.multiplier
    policy = np.array([0.5, 0.5])
    moves, wanted, mass = [], [], 0.0
    for rewards in _TWO_PROMPTS:
        table = np.array(rewards)
        one = partial(subject.group, policy, policy, table)
        push, size = expected(policy, subject.group_size, one)
        moves.append(push[0])
        wanted.append(ascent(policy, table @ np.array([1, lam]))[0])
        mass = max(mass, size)
    bound = ROUNDINGS * subject.unit * mass
    factor, distance = _fit(np.array(moves), np.array(wanted))
    check = "mixture"
    if distance <= bound and factor > 0:
        words = "both rewards are exchanged at the rate of the multiplier"
        return Finding(check, "linear", words, distance, bound)
    # a guard of 1e-4 beside deviations of 0.05 and more moves a standardised advantage by this much
    if abs(moves[0] - moves[1]) <= 1e-2 * abs(moves[0]) + bound:
        words = (
            "prompts move in lock-step: each reward is standardised by itself, so that what a "
            "response gains of one and loses of the other no longer counts, and the optimum moves"
        )
        return Finding(check, "lock-step", words, distance, bound, True)
    words = f"{_OPEN}: no multiple of the gradient of u + {lam:g} s (off by {distance:.2g})"
    return Finding(check, "none", words, distance, bound, open=True)


def examine_pairs(subject: Subject) -> list[Finding]:
    """Where a loss on pairs ends, with Bradley-Terry labels of every pair of three responses."""
    reference, rewards = floats(REFERENCE), floats(REWARDS)
    size = len(rewards)
    chance = 1 / (1 + np.exp(rewards[None, :] - rewards[:, None]))

    def slope(logits: Array) -> Array:
        policy = gibbs(np.ones(size), np.append(logits, 0.0))
        total = np.zeros(size)
        for i, j in product(range(size), repeat=2):
            if i != j:
                total += chance[i, j] * subject.pair(policy, reference, i, j)
        return total[:-1]

    start = np.log(reference[:-1] / reference[-1])
    found = optimize.root(slope, start, tol=max(1e-13, float(np.sqrt(subject.unit)) * 1e-4))
    flat = float(np.abs(slope(found.x)).max())
    scale = float(np.abs(slope(start)).max())
    check = "fixed point"
    if flat > 1e-4 * max(scale, 1e-300):
        words = f"{_OPEN}: no end was found (the expected gradient is still {flat:.2g})"
        return [Finding(check, "none", words, flat, 1e-4 * scale, open=True)]
    policy = gibbs(np.ones(size), np.append(found.x, 0.0))
    return [_tilted(subject, policy, reference, rewards, chance)]


def _tilted(
    subject: Subject, policy: Array, reference: Array, rewards: Array, chance: Array
) -> Finding:
    """Which law the end of a loss on pairs is: of a beta that is not stated, any tilt is right."""
    check, beta, lam = "fixed point", subject.beta, subject.multiplier
    bound = max(1e-6, ROUNDINGS * subject.unit)
    least = float(policy.min())
    if least <= bound:  # near a corner every law with a large tilt is as near as any other
        words = f"{_OPEN}: the loss leaves a response a probability of {least:.2g}"
        return Finding(check, "none", words, least, bound, open=True)
    tilt = float(np.polyfit(rewards, np.log(policy / reference), 1)[0])
    guessed = "" if beta else f", with beta = {1 / tilt:.6g}, which the loss does not state"
    beta = beta or (1 / tilt if tilt > 0 else 1.0)
    forms: dict[str, tuple[str, Array]] = {
        "1/beta": ("the reference tilted by exp(r/beta)", gibbs(reference, rewards / beta)),
        "no reference": ("exp(r/beta) without the reference",
                         gibbs(np.ones(len(rewards)), rewards / beta)),
        "beta": ("the reference tilted by exp(beta r)", gibbs(reference, rewards * beta)),
        "ipo": ("the minimiser of IPO", gibbs(reference, _ipo(chance) / beta)),
        "other": (f"the reference tilted by exp({tilt * beta:.6g} r/beta)",
                  gibbs(reference, rewards * tilt)),
    }  # fmt: skip
    if lam is not None:
        words = "the reference tilted by exp(multiplier r/beta)"
        forms = {"multiplier/beta": (words, gibbs(reference, lam * rewards / beta))} | forms
    away = {name: 0.5 * float(np.abs(policy - law).sum()) for name, (_, law) in forms.items()}
    form = next((name for name in forms if away[name] <= bound), None)
    if form is None:
        near = min(away, key=lambda name: away[name])
        words = f"{_OPEN}; nearest is {forms[near][0]}"
        return Finding(check, "none", words, away[near], bound, open=True)
    right = ("1/beta", "ipo") if lam is None else ("multiplier/beta",)
    return Finding(check, form, forms[form][0] + guessed, away[form], bound, form not in right)


def _ipo(chance: Array) -> Array:
    """h of least squares on every pair: h_i - h_j near (2 p_ij - 1)/2, for beta = 1."""
    return np.asarray((chance - 0.5).sum(axis=1) / len(chance))
