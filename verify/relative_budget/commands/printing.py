"""What ``holdfast budget`` prints, with what the log cannot say beside what it says."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Table

from holdfast.solvers.poisoning.data.bounded_files import listed
from holdfast.solvers.relative_budget.estimate.budgets import ENOUGH, REGIMES, regimes
from holdfast.solvers.relative_budget.estimate.fitting import SHAPES
from holdfast.solvers.relative_budget.estimate.population import SPREAD, Population
from holdfast.verify.report.numbers import count

from ...terminal.output import plain
from .answer import Answer, Options
from .logs import Log

_ROWS = 12
"""Prompts that are printed unless --all: from the smallest relative budget to the largest."""
_READINGS: dict[str, str] = {
    "infinite": "a rollout that ends on a wrong answer is never solved",
    "continues": "it would have gone on like the others (nobody has seen that)",
    "restarts": "it begins again until it is solved",
}
"""Reading of a wrong end -> in words."""


def print_answer(console: Console, options: Options, log: Log, answer: Answer) -> None:
    """Everything but where files were written."""
    for lines in (_head(options, log, answer), _pooled(options, answer)):
        for line in lines:
            console.print(line, highlight=False)
    if len(answer.rollouts.names) > 1:
        console.print(_table(options, answer))
    for lines in (_samples(options, answer), _plan(options, answer), _silence(options, answer)):
        for line in lines:
            console.print(line, highlight=False)


def _head(options: Options, log: Log, answer: Answer) -> Iterator[str]:
    rollouts = answer.rollouts
    solved, ended = int(rollouts.solved.sum()), int(rollouts.ended.sum())
    cut = len(rollouts.lengths) - solved - ended
    holds = {"length": "tokens", "text": "texts", "prompt": "prompts"}
    read = ", ".join(f"{holds.get(what, what)} from {plain(n)}" for what, n in log.names.items())
    yield (
        f"[bold]{plain(options.lengths)}[/bold]: {count(len(rollouts.lengths), 'rollout')} of "
        f"{count(len(rollouts.names), 'prompt')} ({read})"
    )
    yield (
        f"{solved:,} solved, {cut:,} cut at {rollouts.cap:,} tokens, {ended:,} ended on a wrong "
        "answer before that"
    )
    if "prompt" not in log.names and not options.pool:
        yield "note: no column of prompts was found, so that all rollouts are taken as of one"
    if log.unread:
        yield f"note: columns that are not read: {plain(listed(log.unread))}"
    for note in (*answer.notes, *_notes(options, answer)):
        yield f"note: {note}"


def _notes(options: Options, answer: Answer) -> Iterator[str]:
    rollouts = answer.rollouts
    size = len(rollouts.names)
    if size > ENOUGH and options.wrong != "restarts":
        yield (
            f"shape and spread, and xi of a prompt drawn at random, are estimated from {ENOUGH:,} "
            f"of the {size:,} prompts, evenly spread over the log; the intervals of single prompts "
            "take the shape as known"
        )
    shortest, longest = np.full(size, rollouts.cap + 1), np.zeros(size)
    np.minimum.at(shortest, rollouts.prompts, rollouts.lengths)
    np.maximum.at(longest, rollouts.prompts, rollouts.lengths)
    every = np.bincount(rollouts.prompts, ~rollouts.solved, size) == 0
    same = int((every & (shortest == longest)).sum())
    if same:
        yield (
            f"of {count(same, 'prompt')} all rollouts are solved after the same number of tokens: "
            "rewards do not vary there (sigma is 0), and samples are by the law of the others alone"
        )


def _interval(found: Population, horizon: int) -> str:
    low, high = sorted((horizon / found.low, horizon / found.high))
    if math.isinf(found.mean):
        return f"0, as E T is infinite, of which the theory says nothing ({low:.3g} to {high:.3g})"
    words = f"{horizon / found.mean:.3g}, 95 percent interval {low:.3g} to {high:.3g}"
    return f"{words}: {regimes(low, high)}"


def _pooled(options: Options, answer: Answer) -> Iterator[str]:
    horizon = options.horizon
    one = len(answer.rollouts.names) == 1
    whose = "" if one else ", of a rollout of a prompt drawn at random"
    yield (
        f"\n[bold]relative budget xi = H/E T at H = {horizon:,}{whose}: "
        f"{_interval(answer.pooled, horizon)}[/bold]"
    )
    if options.wrong != "restarts":
        yield f"  by a {_law(options, answer)}{'' if one else _spread(answer)}"
    if answer.others:
        yield f"  where {_READINGS[options.wrong]}; that is --wrong {options.wrong}. Otherwise:"
    for wrong, found in answer.others.items():
        yield f"  --wrong {wrong}, {_READINGS[wrong]}: {_interval(found, horizon)}"
    if math.isfinite(answer.naive):
        yield (
            f"  not to be used: H over the mean length of those solved within H is "
            f"{answer.naive:.3g}, which is never below 1, whatever is true"
        )


def _law(options: Options, answer: Answer) -> str:
    """The law with its shape, and the interval of that; limits of the search are said as such."""
    name = "negative binomial" if options.steps else options.family
    shape, shapes = answer.prompts.shape, answer.pooled.shapes
    if options.family == "geometric" or options.steps:
        return f"{name} law of shape {shape:.3g}"
    words = f"{shape:.3g}"
    if len(shapes) > 1:
        words += f" ({shapes.min():.3g} to {shapes.max():.3g})"
    if shape > 0.98 * SHAPES[1]:
        words = f"at least {SHAPES[1]:,.0f}, the greatest that is tried (lengths hardly vary)"
    elif shape < 1.02 * SHAPES[0]:
        words = f"at most {SHAPES[0]:g}, the least that is tried (lengths vary without end)"
    return f"{name} law of shape {words}"


def _spread(answer: Answer) -> str:
    deviation = answer.pooled.log_deviation
    factor = f"{math.exp(deviation):.3g}"
    if deviation < 1.1 * SPREAD[0]:
        return (
            f"; E T differs by no more than a factor of {factor} between prompts, the least that "
            "is tried"
        )
    if deviation > 0.99 * SPREAD[1]:
        return (
            f"; E T differs by a factor of {factor} or more between prompts, the greatest that is "
            "tried"
        )
    return f"; E T differs by a factor of about {factor} between prompts"


def _number(x: float) -> str:
    """Four digits, or a whole number with all of its digits."""
    return f"{x:,.0f}" if 1e3 <= x < 1e12 else f"{x:,.4g}"


def _percentages(shares: dict[str, float]) -> dict[str, int]:
    """Whole percentages that sum to 100: the largest remainders are rounded up."""
    parts = {name: int(100 * share + 1e-9) for name, share in shares.items()}
    order = sorted(shares, key=lambda name: parts[name] - 100 * shares[name])
    for name in order[: 100 - sum(parts.values())]:
        parts[name] += 1
    return parts


def _table(options: Options, answer: Answer) -> Table:
    xi, low, high = answer.prompts.relative_budgets(options.horizon)
    shares = answer.shares(options.horizon)
    order = np.argsort(xi, kind="stable")
    if not options.whole and len(order) > _ROWS:
        order = order[np.linspace(0, len(order) - 1, _ROWS).astype(int)]
    parts = _percentages(shares)
    words = ", ".join(f"{parts[name]}% {name}" for name, share in shares.items() if share)
    table = Table(
        "prompt", title=f"\nprompts by their own estimates: {words}", title_justify="left",
        caption=None if len(order) == len(xi) else f"{len(order)} of {len(xi):,}; --all prints all",
        caption_justify="left",
    )  # fmt: skip
    for name in ("rollouts", "solved", "xi", "from", "to", "regime", "samples"):
        table.add_column(name, justify="left" if name == "regime" else "right")
    sizes = np.bincount(answer.rollouts.prompts)
    solved = np.bincount(answer.rollouts.prompts, answer.rollouts.solved)
    for k in order.tolist():
        numbers = (f"{x[k]:.3g}" for x in (xi, low, high))
        name = answer.rollouts.names[k]
        table.add_row(
            plain(name if len(name) <= 40 else f"{name[:37]}..."), f"{sizes[k]:,}",
            f"{int(solved[k]):,}", *numbers, answer.regime(k, options.horizon),
            _number(float(answer.rewards.samples[k])),
        )  # fmt: skip
    return table


def _samples(options: Options, answer: Answer) -> Iterator[str]:
    found = answer.rewards.samples
    some = found[np.isfinite(found)]
    yield (
        f"\n[bold]samples for one improvement by sqrt(kappa) sigma/2[/bold] (kappa "
        f"{options.kappa:g}, {options.class_size:,} rewards in question, failing with probability "
        f"{options.delta:g}):"
    )
    if len(some):
        low, middle, high = np.quantile(some, (0.1, 0.5, 0.9))
        many = f" in the middle, {_number(low)} to {_number(high)} for most"
        whose, most = ("a", many) if len(some) > 1 else ("a" if len(found) == 1 else "one", "")
        yield f"  of {whose} prompt: {_number(middle)}{most}, by Gamma laws"
    if len(some) < len(found):
        yield f"  for {count(len(found) - len(some), 'prompt')} no number: {_why(options, answer)}"
    if answer.own is not None:
        samples, why = answer.own
        said = why or _number(samples)
        one = len(answer.rollouts.names) == 1
        yield f"  by the rewards of the log{'' if one else ', of all prompts as one'}: {said}"


def _why(options: Options, answer: Answer) -> str:
    found = answer.rewards
    tight = (found.deviation > 0) & (found.anti_concentration == 0)
    words = []
    if tight.any():
        most = (((1 - found.mean) / found.deviation)[tight] ** 2).min()
        words.append(f"kappa is too large for {tight.sum():,}, below {most:.3g} would do for all")
    if (found.deviation == 0).any():
        words.append(f"nothing is solved in {(found.deviation == 0).sum():,}")
    return "; ".join(words) or "it is beyond all floats"


def _plan(options: Options, answer: Answer) -> Iterator[str]:
    plan = answer.plan
    tokens = options.spend or int(answer.rollouts.lengths.sum())
    cheapest, at = plan.cheapest
    verb = "is" if tokens == 1 else "are"
    yield f"\n[bold]what {count(tokens, 'token')} {verb} best spent on[/bold], by these bounds:"
    if plan.share == 0:
        yield (
            f"  they guarantee no improvement of any prompt; the one that takes fewest tokens "
            f"takes {_number(cheapest)}, at a horizon of {at:,}"
        )
        return
    yield (
        f"  a horizon of {plan.horizon:,} tokens and {plan.share:.0%} of the prompts, those whose "
        f"improvement takes fewest tokens for its size: together {plan.gain:.2%} of that horizon, "
        "a mean over all prompts"
    )
    yield (
        "  horizons are compared by improvement in shares of their own length, not in tokens: the "
        "same share of a longer one is more tokens"
    )
    if plan.horizon > answer.rollouts.cap:
        yield f"  beyond the {answer.rollouts.cap:,} tokens of the log that rests on the law alone"


def _silence(options: Options, answer: Answer) -> Iterator[str]:
    """What the log cannot say."""
    cap = answer.rollouts.cap
    yield "\n[bold]what the log cannot say[/bold]"
    yield from _without_law(options, answer)
    if options.horizon > cap:
        yield "  the horizon lies beyond the cap, so that all that is said of it is the law's word"
    lengths = "a length counts as T: the first token at which the solution is right"
    yield f"  {lengths}; rollouts that go on after that count too long"
    edges = list(REGIMES.values())
    yield (
        f"  deficient is below {edges[0]:g} and ample above {edges[1]:g}, as was reported of "
        "training; the theory draws no line"
    )
    if answer.rollouts.ended.any():
        return
    yield "  no rollout ended on a wrong answer, so that nothing hangs on how these are read"


def _without_law(options: Options, answer: Answer) -> Iterator[str]:
    if options.wrong == "restarts":
        yield (
            "  what holds without any law is of one attempt, and says nothing of E T of many; "
            "their mean is tokens over solves"
        )
        return
    rollouts, found = answer.rollouts, answer.restricted
    known, longest = min(options.horizon, rollouts.cap), int(answer.curve.times[-1])
    assert found is not None, "it is there for readings of one attempt"
    bound = options.horizon / max(found.low, 1.0)
    left = float(answer.curve.tail[-1])
    rest = (
        f"at {longest:,} tokens, the longest, {left:.1%} are unsolved, and when these would be "
        "solved, if ever, is the law's word"
        if left
        else f"none takes more than {longest:,} tokens"
    )
    ends = f"{_number(found.mean)} ({_number(found.low)} to {_number(found.high)})"
    whose = "" if len(rollouts.names) == 1 else " of a prompt drawn at random"
    mean = f"E min(T, {known:,}){whose} is {ends}"
    if not (rollouts.solved & (rollouts.lengths < known)).any():
        mean = (
            f"nothing is solved before {count(known, 'token')}, so that with 95 percent E min(T, "
            f"{found.mean:,.0f}) of these prompts is at least {_number(found.low)}"
        )
    elif not found.whole:
        one = "rollout" if len(rollouts.names) == 1 else "rollout of each prompt"
        mean = f"E T{whose}, counted up to the longest {one} and no further, is {ends}"
    yield f"  without any law: {mean}, so xi is at most {bound:.3g}; {rest}"
