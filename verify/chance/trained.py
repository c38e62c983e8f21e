"""What ``holdfast train`` says of a policy: fresh episodes and, where there is one, the model."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from holdfast.solvers.sequences import Array

from ..report.numbers import decimal
from .networks import optimum_at

_CONFIDENCE = 0.95  # of each interval alone: a row is looked at, and proves nothing
NOTE = (
    "greedy policies take their likeliest action; drawn ones draw their actions as in training, "
    "where the limit is on their cost, so that the two differ in risk"
)

Ends = tuple[float, float]


def judge(run: Any, episodes: int) -> list[dict[str, str]]:
    """Heading -> number of the greedy policy that the run ended with, then of the drawn one.

    Returns are UN-normalised.  What is limited is measured, and compared with the limit.
    """
    policy = run.result()
    return [_row(run.training, policy, episodes, greedy) for greedy in (True, False)]


def _row(training: Any, policy: Any, episodes: int, greedy: bool) -> dict[str, str]:
    from holdfast.solvers.neural.parts import tasks

    row, ends = _measured(training, policy, episodes, greedy)
    limit = Fraction(str(training.options.limit))
    exact: Any = None
    if tasks.problem_of(training.task) is not None:
        exact = _exact(training, policy, greedy)
        row |= {"exact return": _shown(exact[0]), "exact risk": _shown(exact[1])}
    if exact is not None and _limited(training.options) == "risk":
        ends = (exact[1], exact[1])
    row |= {"limit": decimal(limit), "limit of the": _limited(training.options)}
    row["met"] = "yes" if ends[1] <= limit else "no" if ends[0] > limit else "not known"
    if exact is not None and _limited(training.options) == "risk":
        best = optimum_at(training.task, limit)
        row["exact optimum at the limit"] = "none" if best is None else decimal(best)
    return row


def _limited(options: Any) -> str:
    """What the limit of the training is on."""
    if options.discounted:
        return "discounted cost"
    return "risk" if options.first_violation else "cost"


def _measured(
    training: Any, policy: Any, episodes: int, greedy: bool
) -> tuple[dict[str, str], Ends]:
    """What fresh episodes show, and between which numbers what is limited then lies."""
    import numpy as np

    from holdfast.solvers.neural.parts import evaluation, tasks

    options = training.options
    costs: list[Array] = []
    limited, actions = _limited(options), "greedy" if greedy else "drawn"
    found = evaluation.evaluate(
        policy, training.task, episodes=episodes, deterministic=greedy,
        seed_words=("train", training.digest) if greedy else ("train", "drawn", training.digest),
        first_violation=options.first_violation, each_cost=costs.append,
        cost_discount=options.cost_discount if options.discounted else 1.0,
    )  # fmt: skip
    ends = found.interval(_CONFIDENCE)
    row = {
        "actions": actions,
        "return": _with_ends(float(found.value), ends.value),
        "risk": _with_ends(float(found.risk), ends.risk),
    }
    if limited == "risk":
        return row, ends.risk
    each, most = np.concatenate(costs), tasks.largest_cost(training.task)
    around = evaluation.ends_of_mean(each, _CONFIDENCE, 0.0, most)
    return {**row, limited: _with_ends(float(each.mean()), around)}, around


def _exact(training: Any, policy: Any, greedy: bool) -> tuple[Any, Any]:
    """(value, risk) on the model: exactly of the greedy policy, of the drawn one in floats."""
    from holdfast.solvers.chance import evaluate_policy
    from holdfast.solvers.neural.chance import FlippingPolicy
    from holdfast.solvers.neural.chance import judge as judge_flip
    from holdfast.solvers.neural.chance.judging import judge_drawn
    from holdfast.solvers.neural.parts import judging, tasks

    problem, flag = tasks.problem_of(training.task), training.options.first_violation
    assert problem is not None
    if isinstance(policy, FlippingPolicy):
        judged = judge_flip if greedy else judge_drawn
        return judged(policy, training.task, first_violation=flag)
    if not greedy:
        return judging.stochastic(policy, training.task, first_violation=flag)
    return evaluate_policy(problem, judging.table(policy, training.task, first_violation=flag))


def _shown(value: Fraction | float) -> str:
    return decimal(value) if isinstance(value, Fraction) else f"{value:.6g}"


def _with_ends(value: float, ends: Ends) -> str:
    return f"{value:.4f} ({ends[0]:.4f} to {ends[1]:.4f})"
