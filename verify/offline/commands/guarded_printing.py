"""What ``holdfast offline`` prints."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from rich.console import Console
from rich.table import Table

from holdfast.solvers.offline.guarded import Obstacle, Plan
from holdfast.solvers.offline.learned import OUTSIDE
from holdfast.verify.report.numbers import DASH, count

from ...cmdp.idle import listed
from ...terminal.output import plain
from .guarded_answer import Answer, Ends, exceeded, notes
from .guarded_question import Question

_ROWS = 20
"""States of the policy that are printed unless --all."""
MEANINGS = {
    "guarded": "within the support, by means",
    "cautious": "the same, with errors taken off its rewards and added to its costs, as far as "
    "budgets leave room",
    "unguarded": "any logged pair, however rare",
    "actions only": "actions with a twentieth of the visits of their state, however few",
}


def print_answer(console: Console, question: Question, answer: Answer) -> None:
    """Coverage, plans, what the bound is made of, where the log supports no answer, the policy."""
    said = (f"  note: {plain(note)}" for note in notes(question))
    for line in (*_head(question, answer), *said):
        console.print(line, highlight=False)
    console.print(_plans(question, answer))
    for name, meaning in MEANINGS.items():
        console.print(f"  {name}: {meaning}", highlight=False)
    for line in _obstacles(question, answer):
        console.print(line, highlight=False)
    if answer.best is not None:
        name, best = answer.best
        console.print(_terms(name, best))
        for line in _verdict(answer, best):
            console.print(line, highlight=False)
        console.print(_policy(question, name, best))


def _head(question: Question, answer: Answer) -> Iterator[str]:
    log, visits = question.log, question.log.visits
    simulated = "" if question.truth is None else " (simulated)"
    yield (
        f"[bold]{plain(question.options.data)}[/bold]: {count(log.steps, 'step')} in "
        f"{count(len(log.returns), 'episode')}{simulated}, {log.cuts:,} of them cut; "
        f"{count(len(log.states), 'state')}, {count(len(log.actions), 'action')}, "
        f"{count(log.n_costs, 'cost')}, discount {log.discount}"
    )
    seen = visits[visits > 0]
    supported = question.supported & (visits > 0)
    yield (
        f"coverage: {len(seen):,} of {_pairs(question):,} pairs were visited, from "
        f"{seen.min():,} times (median {np.median(seen):,.0f}) to {seen.max():,}; "
        f"{int(supported.sum()):,} are supported ({_guardian(question)}), with "
        f"{visits[supported].sum() / log.steps:.1%} of the steps"
    )
    yield (
        f"reach: {answer.reached:,} of the {count(len(log.states), 'state')} are reached within "
        "the support from where episodes begin"
    )
    if answer.lost:
        yield (
            f"[bold]without a supported action[/bold]: {listed(answer.lost)}; who arrives there "
            "has left the support"
        )


def _pairs(question: Question) -> int:
    """Of the log's states with all of its actions; in a model only with those that it has there."""
    truth, log = question.truth, question.log
    if truth is None:
        return log.visits.size
    return int(
        (np.isin(truth.choice_states, log.states) & np.isin(truth.actions, log.actions)).sum()
    )


def _guardian(question: Question) -> str:
    options = question.options
    if options.guardian == "count":
        return count(options.n0, "visit") + " or more"
    return f"{options.guardian}, {options.left_out:g} of the steps left out"


def _number(value: float | Fraction) -> str:
    return f"{float(value):.4g}"


def _ends(ends: Ends) -> str:
    return f"{(float(ends[0]) + float(ends[1])) / 2:.6g}"


def _plans(question: Question, answer: Answer) -> Table:
    budgets = ", ".join(map(_number, question.budgets))
    table = Table("plan", title=f"\nplans (budgets {budgets}; certified, each but for probability "
                  f"{question.failure})", title_justify="left")  # fmt: skip
    names = ["reward", *(f"cost {i + 1}" for i in range(question.log.n_costs))]
    heads = ["return", "certified", *names[1:], *(f"{n} certified" for n in names[1:]), "exits"]
    for name in (*heads, *(f"true {n}" for n in names if answer.exact)):
        table.add_column(name, justify="right")
    mean, *costs = answer.logged
    exact = [_ends(one) for one in answer.exact.get("behaviour", ())]
    table.add_row("behaviour", _number(mean[0]), f">= {_number(mean[1])}",
                  *(_number(one[0]) for one in costs), *(f"<= {_number(one[2])}" for one in costs),
                  DASH, *exact)  # fmt: skip
    for name, found in answer.plans.items():
        if isinstance(found, Obstacle):
            table.add_row(name, *[DASH] * (len(table.columns) - 1))
            continue
        sizes = range(1, len(found.values))
        exact = [_ends(one) for one in answer.exact.get(name, ())]
        table.add_row(name, _number(found.values[0]), f">= {_number(found.bound(0))}",
                      *(_number(found.values[i]) for i in sizes),
                      *(f"<= {_number(found.bound(i))}" for i in sizes),
                      _number(found.exits), *exact)  # fmt: skip
    return table


def _obstacles(question: Question, answer: Answer) -> Iterator[str]:
    for name in ("guarded", "cautious"):
        found = answer.plans[name]
        if not isinstance(found, Obstacle):
            continue
        if found.exits > question.exits:
            yield (
                f"no {name} plan: every policy leaves the support; the least discounted time "
                f"outside is {_number(found.exits)} and --exits allows {_number(question.exits)}. "
                "Allow more, or support more pairs"
            )
        for i, (least, budget) in enumerate(zip(found.costs, question.budgets, strict=True)):
            if least > budget:
                kind = "" if name == "guarded" else ", with its errors,"
                guard = " within --exits" if found.exits <= question.exits else ""
                yield (
                    f"no {name} plan: cost {i + 1}{kind} is at least {_number(least)} in the "
                    f"model{guard}, and its budget is {_number(budget)}"
                )
        within = all(a <= b for a, b in zip(found.costs, question.budgets, strict=True))
        if within and found.exits <= question.exits:
            yield (
                f"no {name} plan: each budget can be kept by itself, and not all of them at once"
                if len(found.costs) > 1
                else f"no {name} plan: cost 1 is above its budget by rounding alone; raise it"
            )


def _terms(name: str, best: Plan) -> Table:
    table = Table("", title=f"\nwhat the bounds of the {name} plan are made of",
                  title_justify="left")  # fmt: skip
    for head in ("in the model", "means", "transitions", "outside", "bound", "by OG-A"):
        table.add_column(head, justify="right")
    for i, value in enumerate(best.values):
        sign = "+" if i else "-"
        coarse = value + best.uniform_error(i) * (1 if i else -1)
        table.add_row(
            f"cost {i}" if i else "return", _number(value),
            *(f"{sign} {_number(one)}" for one in (best.means[i], best.inside[i], best.outside[i])),
            _number(best.bound(i)), _number(coarse),
        )  # fmt: skip
    return table


def _verdict(answer: Answer, best: Plan) -> Iterator[str]:
    """Whether the plan is certified to be better, or which term prevents that."""
    wrong = exceeded(best)
    for i in wrong:
        yield (
            f"[bold]cost {i + 1} is not certified[/bold]: {_largest(best, i + 1)} takes it from "
            f"{_number(best.values[i + 1])} in the model to {_number(best.bound(i + 1))}"
        )
    logged = answer.logged[0]
    if best.bound(0) <= best.learned.ranges[0].returns[0]:
        yield (
            f"[bold]the bound on the return says nothing[/bold]: {_largest(best, 0)} takes all of "
            f"{_number(best.values[0])}"
        )
    elif float(best.bound(0)) > logged[2]:
        yield (
            "[bold]certified to earn more than the behaviour[/bold]: its interval ends at "
            f"{_number(logged[2])}, each of both but for probability {best.learned.failure}"
        )
    else:
        if (value := float(best.values[0])) <= logged[0]:
            why = "it does not in the model either"
        elif value <= logged[2]:
            why = (
                f"in the model it does ({_number(value)} against {_number(logged[0])} in the log), "
                "but the behaviour's interval reaches beyond that"
            )
        else:
            why = f"{_largest(best, 0)} takes most"
        yield (
            f"not certified to earn more than the behaviour ({_number(logged[1])} to "
            f"{_number(logged[2])}): {why}"
        )
    yield (
        f"concentrability: the plan is in some pair {best.concentrability():.3g} times as often as "
        "the log"
    )


def _largest(best: Plan, index: int) -> str:
    terms = {
        "the error of means": best.means[index],
        "the error of transitions": best.inside[index],
        "what is outside of the support": best.outside[index],
    }
    return max(terms, key=lambda name: terms[name])


def _policy(question: Question, name: str, best: Plan) -> Table:
    table = Table("state", "action: probability", "visits", title=f"\nthe {name} plan",
                  title_justify="left")  # fmt: skip
    log, model = question.log, best.learned.model
    start, labels = model.choice_start.tolist(), model.actions.tolist()
    shown = len(log.states) if question.options.whole else min(_ROWS, len(log.states))
    for s, code in enumerate(log.states[:shown].tolist()):
        used = [k for k in range(start[s], start[s + 1]) if best.policy.probabilities[k]]
        cells = []
        for k in used:
            name = "outside" if labels[k] == OUTSIDE else str(log.actions[labels[k]])
            share = best.policy.probabilities[k]
            cells.append(name if share == 1 else f"{name}: {_number(share)}")
        visits = (f"{log.visits[s, labels[k]]:,}" if labels[k] != OUTSIDE else DASH for k in used)
        table.add_row(str(code), ", ".join(cells), ", ".join(visits))
    if shown < len(log.states):
        table.add_row("...", f"{len(log.states) - shown} more states; --all prints them", "")
    return table
