"""Families of labels that are known to teach a given reward, and of attacks that aim at one.

Rewards are measured in units of log 2 and score every pair a whole number, so that probabilities
are rational; the labels are then chosen to have the reward for the minimiser of their loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from flint import fmpq, fmpq_mat, fmpz_mat

from holdfast.solvers import Vector
from holdfast.solvers.exact import to_fraction
from holdfast.solvers.poisoning import FlipProblem, solve_flips
from holdfast.solvers.poisoning.rewards.exact_loss import probabilities

from ...binding.draws import Draw
from ...binding.family import Family
from .flips import weights
from .rewards import by_feature, small_features, small_labels, whole_multiple, whole_reward

_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Taught:
    """Target labels chosen for their minimiser.

    reward: it minimises the loss of the target labels with the ridge, in units of log 2;
    ridge: in units of 1/log 2, 0 for none.
    """

    problem: FlipProblem
    reward: Vector
    ridge: Fraction


def taught(*, ridged: bool = False) -> Family:
    """Target labels that teach a reward; without a ridge, or with one."""

    def base(draw: Draw) -> Taught:
        rows = by_feature(small_features(draw))
        problem = FlipProblem.of(
            rows, small_labels(draw, len(rows[0])), 1, weights(draw, len(rows[0]))
        )
        entries = [draw.integer(-2, 2) for _ in rows]
        return teach(problem, entries, Fraction(int(ridged), 2), Fraction(draw.integer(0, 3), 4))

    return Family(f"labels that teach a reward{', with a ridge' if ridged else ''}", base)


def teach(problem: FlipProblem, entries: Sequence[int], pull: Fraction, spread: Fraction) -> Taught:
    """The problem with target labels of which a multiple of `entries` is the minimiser.

    pull: how far the labels go from the reward's own probabilities towards where some label leaves
    [0, 1], which makes the ridge; 0 for no ridge.  spread: how far they then go, up to where some
    label leaves [0, 1], in a direction that keeps the moments.  A ridge needs independent features;
    where they are dependent the reward is 0.
    """
    reward, ridge = whole_multiple(problem, entries), Fraction(int(pull > 0))
    towards = _labels_that_pull(problem, reward) if pull else None
    if pull and towards is None:
        reward = Vector((0,) * problem.n_features)
    labels = probabilities(problem, reward)
    if towards is not None and any(towards):
        ridge = pull * _furthest(labels, towards)
        labels = _moved(labels, ridge, towards)
    still = _unmoving(problem)
    if still is not None:
        labels = _moved(labels, spread * _furthest(labels, still), still)
    return Taught(problem.with_target(labels), reward, ridge)


def _labels_that_pull(problem: FlipProblem, reward: Vector) -> list[Fraction] | None:
    """Changes of the labels with the moments r: D^-1 Phi^T (Phi Phi^T)^-1 r; None if there is no
    inverse.  Pairs of weight 0 do not take part."""
    rho = problem.multiplicities
    columns = [
        phi if w else (_ZERO,) * len(phi) for phi, w in zip(problem.columns(), rho, strict=True)
    ]
    matrix = _matrix(by_feature(columns))
    right = _matrix([[value] for value in reward.fractions()])
    try:
        multipliers = (matrix * matrix.transpose()).solve(right)
    except ZeroDivisionError:
        return None
    y = [to_fraction(multipliers[k, 0]) for k in range(problem.n_features)]
    return [
        sum((a * b for a, b in zip(phi, y, strict=True)), _ZERO) / (w or 1)
        for phi, w in zip(columns, rho, strict=True)
    ]


def _unmoving(problem: FlipProblem) -> list[Fraction] | None:
    """Changes of the labels that keep the moments, or None if only 0 does."""
    rho = problem.multiplicities
    space, size = fmpz_mat(problem.integer_rows()).nullspace()
    if not size:
        return None
    last = [Fraction(int(space[i, size - 1])) for i in range(problem.n_pairs)]
    return [change / w if w else _ZERO for change, w in zip(last, rho, strict=True)]


def _matrix(rows: Sequence[Sequence[Fraction]]) -> fmpq_mat:
    return fmpq_mat(
        len(rows), len(rows[0]), [fmpq(x.numerator, x.denominator) for row in rows for x in row]
    )


def _furthest(labels: Vector, changes: Sequence[Fraction]) -> Fraction:
    """The largest multiple of the changes that keeps the labels in [0, 1]; 0 if all do."""
    steps = [
        (1 - label if change > 0 else label) / abs(change)
        for label, change in zip(labels.fractions(), changes, strict=True)
        if change
    ]
    return min(steps, default=_ZERO)


def _moved(labels: Vector, step: Fraction, changes: Sequence[Fraction]) -> Vector:
    return Vector.of(x + step * y for x, y in zip(labels.fractions(), changes, strict=True))


# -- what goes beside them -----------------------------------------------------------------------
def cheapest(draw: Draw, case: Taught, *_: object) -> Vector:
    """The labels of least cost with the target's moments."""
    return solve_flips(case.problem).labels


def other_labels(draw: Draw, case: Taught, *_: object) -> Vector:
    """Labels of any moments."""
    return Vector.of(small_labels(draw, case.problem.n_pairs))


def start(draw: Draw, case: Taught, *_: object) -> Vector:
    """Where training starts: a reward with whole scores."""
    return whole_reward(draw, case.problem)


@dataclass(frozen=True, slots=True)
class Attack:
    """A target to be taught, and when it is.

    answers: differences of features of two answers (n), on which policies are compared;
    attained: whether labels count only if their loss has a minimiser.
    """

    taught: Taught
    answers: tuple[Vector, ...]
    attained: bool = True


def attacks(*, covered: bool = True, attained: bool = True) -> Family:
    """Answers are combinations of the pairs if `covered`, else differ in a feature that no pair
    has; without `attained` the benign labels are those of a reward, 0 and 1."""

    def base(draw: Draw) -> Attack:
        case = taught().base(draw)
        if not attained:
            case = replace(case, problem=separated_labels(draw, case.problem))
        if not covered:
            rows = [*case.problem.features, Vector((0,) * case.problem.n_pairs)]
            reward = Vector((*case.reward.numerators, 0))
            case = replace(case, problem=case.problem.with_features(rows), reward=reward)
        answers = tuple(_answers(draw, case.problem, not covered) for _ in range(2))
        return Attack(case, answers, attained)

    return Family("attacks on a policy", base)


def _answers(draw: Draw, problem: FlipProblem, aside: bool) -> Vector:
    columns = problem.columns()
    factors = [draw.integer(-1, 1) if weight else 0 for weight in problem.multiplicities]
    rows = zip(*columns, strict=True)
    parts = [sum((f * a for f, a in zip(factors, row, strict=True)), _ZERO) for row in rows]
    return Vector.of([*parts[:-1], parts[-1] + int(aside)])


def separated_labels(draw: Draw, problem: FlipProblem) -> FlipProblem:
    """The problem with the benign labels 0 and 1 that a reward gives to its scores."""
    entries = [draw.integer(-2, 2) or 1 for _ in problem.features]
    return replace(
        problem, benign=Vector(tuple(int(u >= 0) for u in problem.scores(entries).numerators))
    )


def separated() -> Family:
    """Benign labels that a reward separates, and target labels that teach a reward."""

    def base(draw: Draw) -> FlipProblem:
        return separated_labels(draw, taught().base(draw).problem)

    return Family("separated labels", base)
