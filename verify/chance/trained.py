"""What ``holdfast train`` says of a policy: fresh episodes and, where there is one, the model."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ..report.numbers import decimal
from .networks import optimum_at

_CONFIDENCE = 0.95  # of each interval alone: a row is looked at, and proves nothing


def judge(run: Any, episodes: int) -> dict[str, str]:
    """Heading -> number of the policy that the run ended with; returns are UN-normalised."""
    from holdfast.solvers.neural.parts import evaluation, tasks

    policy, training = run.result(), run.training
    found = evaluation.evaluate(
        policy, training.task, episodes=episodes, seed_words=("train", training.digest),
        first_violation=training.options.first_violation,
    )  # fmt: skip
    ends = found.interval(_CONFIDENCE)
    row = {
        "return": f"{float(found.value):.4f} ({ends.value[0]:.4f} to {ends.value[1]:.4f})",
        "risk": f"{float(found.risk):.4f} ({ends.risk[0]:.4f} to {ends.risk[1]:.4f})",
    }
    if tasks.problem_of(training.task) is not None:
        row |= _exactly(policy, training)
    return row


def _exactly(policy: Any, training: Any) -> dict[str, str]:
    """The greedy policy on the model, and the optimum at the limit where that is a risk."""
    from holdfast.solvers.chance import evaluate_policy
    from holdfast.solvers.neural.parts import judging, tasks

    problem, options = tasks.problem_of(training.task), training.options
    assert problem is not None
    table = judging.table(policy, training.task, first_violation=options.first_violation)
    value, risk = evaluate_policy(problem, table)
    row = {"exact return": decimal(value), "exact risk": decimal(risk)}
    if options.first_violation and not options.discounted:
        limit = Fraction(str(options.limit))
        best = optimum_at(training.task, limit)
        row |= {
            "limit": decimal(limit),
            "exact optimum at the limit": "none" if best is None else decimal(best),
        }
    return row
