"""What ``holdfast offline`` finds out: coverage, plans with their certificates, and baselines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from holdfast.solvers import CMDP, Policy
from holdfast.solvers.offline.guarded import (
    Obstacle,
    Plan,
    behaviour,
    enclosed_value,
    from_starts,
    often_taken,
    plan,
)
from holdfast.solvers.offline.learned import Learned
from holdfast.solvers.sequences import Array
from holdfast.verify.report.numbers import count

from .guarded_question import Question

OFTEN = Fraction(1, 20)
"""The share of a state's visits that an action needs for the baseline that guards actions."""
Ends = tuple[Fraction, Fraction]


@dataclass(frozen=True)
class Answer:
    """All that is said.

    plans: name -> what was found; exact: name -> bounds on the true reward and costs, of plans and
    of the behaviour, where the log was simulated, from where its episodes begin; logged: (mean,
    low, high) of the returns of the log; lost: states of the log without a supported action;
    reached: how many of its states are reached within the support.
    """

    known: Learned
    plans: dict[str, Plan | Obstacle]
    exact: dict[str, tuple[Ends, ...]]
    logged: tuple[tuple[float, float, float], ...]
    lost: tuple[int, ...]
    reached: int

    @property
    def best(self) -> tuple[str, Plan] | None:
        """Of the plans within the support that whose certified costs keep the budgets, and whose
        certified return is the greatest; or else the guarded one."""
        found = [
            (name, one)
            for name in ("guarded", "cautious")
            if isinstance(one := self.plans[name], Plan)
        ]
        kept = [pair for pair in found if pair[1].kept]
        return max(kept or found[:1], key=lambda pair: pair[1].bound(0), default=None)


def exceeded(found: Plan) -> list[int]:
    """The costs whose certified upper bound is above the budget."""
    budgets = found.learned.model.budgets
    return [i for i, budget in enumerate(budgets) if found.bound(i + 1) > budget]


def answer_of(question: Question) -> Answer:
    """Raises ModelError as the solvers do."""
    log, limits = question.log, question.limits
    known = question.learned(question.supported)
    anything = question.learned(log.visits > 0)
    often = question.learned(often_taken(log, OFTEN))
    plans = {
        "guarded": plan(known, question.exits, limits=limits),
        "cautious": plan(known, question.exits, certified=True, limits=limits),
        "unguarded": plan(anything, None, limits=limits),
        "actions only": plan(often, None, limits=limits),
    }
    exact = {}
    if question.truth is not None and question.behaviour is not None:
        truth = from_starts(log, question.truth)
        exact["behaviour"] = _exact(truth, question.behaviour)
        for name, found in plans.items():
            if isinstance(found, Plan):
                exact[name] = _exact(truth, found.in_model(truth))
    alone = np.flatnonzero(~(question.supported & (log.visits > 0)).any(axis=1))
    return Answer(
        known,
        plans,
        exact,
        behaviour(log, question.ranges, question.failure),
        tuple(log.states[alone].tolist()),
        int(_reached(question).sum()),
    )


def _exact(truth: CMDP, acting: Policy) -> tuple[Ends, ...]:
    functions = [truth.reward_vector(), *map(truth.cost_vector, range(truth.n_constraints))]
    return tuple(enclosed_value(truth, acting, one) for one in functions)


def _reached(question: Question) -> Array:
    """bool[S], the states of the log to which its starts lead by supported pairs."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order

    log, size = question.log, len(question.log.states)
    s, a, t, _ = log.moves[log.moves[:, 2] < size].T
    kept = question.supported[s, a]
    starts = np.flatnonzero(log.starts)
    ends = np.concatenate([t[kept], starts])
    begins = np.concatenate([s[kept], np.full(len(starts), size)])
    graph = csr_matrix((np.ones(len(ends)), (begins, ends)), shape=(size + 1, size + 1))
    found = np.zeros(size + 1, dtype=bool)
    found[breadth_first_order(graph, size, return_predecessors=False)] = True
    return found[:size]


def _plan_document(found: Plan | Obstacle) -> dict[str, Any]:
    if isinstance(found, Obstacle):
        return {"plan": None, "least_exits": found.exits, "least_costs": found.costs}
    parts = ("values", "means", "inside", "outside")
    terms = {part: [float(x) for x in getattr(found, part)] for part in parts}
    return {
        **terms,
        "bounds": [found.bound(i) for i in range(len(found.values))],
        "uniform_errors": [float(found.uniform_error(i)) for i in range(len(found.values))],
        "exits": float(found.exits),
        "concentrability": found.concentrability(),
        "policy": [[float(p) for p in row] for row in found.probabilities()],
    }


def notes(question: Question) -> Iterator[str]:
    """How the log was read and what is assumed, a sentence each."""
    log, options = question.log, question.options
    yield from log.notes
    if question.truth is None:
        if options.reward_range is None or not options.cost_ranges:
            yield (
                "rewards and costs are taken to range as they do in the log; "
                "--reward-range and --cost-range say what they cannot leave"
            )
        if options.n_states is None:
            yield "no states are taken to be there but those of the log; --states says more"
    names = ["the reward", *(f"cost {i + 1}" for i in range(log.n_costs))]
    fixed = [name for i, name in enumerate(names) if i in question.fixed]
    varying = [name for name in names if name not in fixed]
    if varying:
        yield (
            f"of {' and '.join(varying)} means are used, and what they may be off; "
            "--deterministic says what state and action alone decide"
        )
    if fixed:
        said = "--deterministic says" if question.truth is None else "it is in the model"
        yield f"decided by state and action alone, as {said}: {' and '.join(fixed)}"
    starts = int((log.starts > 0).sum())
    yield f"all values begin where the episodes of the log do, in {count(starts, 'state')}"
    if log.cuts:
        yield (
            f"of {count(log.cuts, 'cut episode')} returns of the behaviour are those up to "
            "there, and their bounds add the least or the most that can follow; cuts are taken "
            "to depend on nothing that follows"
        )


def document(question: Question, answer: Answer) -> dict[str, Any]:
    """The answer as JSON; bounds are rationals, as text, and index 0 is the reward."""
    log = question.log
    return {
        "data": question.options.data,
        "steps": log.steps,
        "episodes": len(log.returns),
        "cut": log.cuts,
        "notes": list(notes(question)),
        "states": log.states,
        "actions": log.actions,
        "n_states": question.n_states,
        "discount": log.discount,
        "delta": question.failure,
        "budgets": question.budgets,
        "deterministic": question.fixed,
        "visits": log.visits,
        "supported": question.supported & (log.visits > 0),
        "lost": answer.lost,
        "reached": answer.reached,
        "logged": answer.logged,
        "plans": {name: _plan_document(found) for name, found in answer.plans.items()},
        "exact": {
            name: [[float(low), float(high)] for low, high in ends]
            for name, ends in answer.exact.items()
        },
    }
