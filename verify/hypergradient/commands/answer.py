"""What ``holdfast hypergradient`` finds out: the exact gradient, estimates of it, and ascents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.solvers.hypergradient import BilevelModel, Hypergradient, hypergradient
from holdfast.solvers.hypergradient.estimators.ascent import Ascent, ascend
from holdfast.solvers.hypergradient.estimators.estimate import METHODS
from holdfast.solvers.sequences import Array

from .question import Question

EXACT = "exact"
BATCHES = 20
"""Of an estimate: enough for a standard error to a sixth of itself."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """The mean of the batches of one method, and its standard errors, float64[d] each."""

    mean: Array
    error: Array

    def cosine(self, exact: Array) -> float:
        """To the exact gradient; NaN where one of them is zero."""
        size = float(np.linalg.norm(self.mean) * np.linalg.norm(exact))
        return float(self.mean @ exact) / size if size else np.nan


@dataclass(frozen=True, slots=True)
class Answer:
    """All that is said; ascents by the exact gradient first, none unless asked for."""

    model: BilevelModel
    exact: Hypergradient
    estimates: dict[str, Estimated]
    ascents: dict[str, Ascent]
    samples: dict[str, int]


def answer_of(question: Question) -> Answer:
    """Raises ModelError as the solvers do."""
    options, leader, at = question.options, question.leader, question.parameters
    exact = hypergradient(leader, at)
    estimates = {method: _estimated(question, method) for method in options.methods}
    ascents, samples = {}, {}
    if options.iterations is not None:
        for method in (EXACT, *options.methods):
            sampler = None
            if method != EXACT:
                sampler = question.sampler(method, steps=options.steps)
                more = sampler.oracle_steps if METHODS[method].oracle else 0
                samples[method] = options.steps + more
            ascents[method] = ascend(leader, sampler, at, iterations=options.iterations,
                                     learning_rate=options.learning_rate)  # fmt: skip
    return Answer(leader.model(at), exact, estimates, ascents, samples)


def _estimated(question: Question, method: str) -> Estimated:
    sampler = question.sampler(method, episodes=max(1, question.options.episodes // BATCHES))
    drawn = np.array([sampler(question.parameters) for _ in range(BATCHES)])
    return Estimated(drawn.mean(axis=0), drawn.std(axis=0, ddof=1) / np.sqrt(BATCHES))


def document(question: Question, answer: Answer) -> dict[str, Any]:
    """The answer as JSON; what is infinite or no number becomes null."""
    options, exact = question.options, answer.exact
    return {
        "model": options.model,
        "leader": options.leader,
        "temperature": answer.model.temperature,
        "follower_discount": answer.model.follower_discount,
        "leader_discount": answer.model.leader_discount,
        "seed": options.seed,
        "horizon": question.horizon,
        "objective": exact.objective,
        "objective_error": exact.objective_error,
        "bounds_cover_leader": exact.covers_leader,
        "parameters": question.parameters,
        "names": question.names,
        "gradient": exact.gradient,
        "error_bound": exact.error_bound,
        "direct": exact.direct,
        "indirect": exact.indirect,
        "estimates": {
            name: {"mean": one.mean, "standard_error": one.error,
                   "cosine": one.cosine(exact.gradient)}
            for name, one in answer.estimates.items()
        },
        "ascents": {
            name: {"iterations": one.iterations, "objectives": one.objectives,
                   "parameters": one.parameters,
                   "samples": one.iterations * answer.samples.get(name, 0)}
            for name, one in answer.ascents.items()
        },
    }  # fmt: skip
