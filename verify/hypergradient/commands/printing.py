"""What ``holdfast hypergradient`` prints."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.sparse.csgraph import breadth_first_order

from holdfast.solvers.hypergradient.estimators.estimate import METHODS
from holdfast.verify.report.numbers import count

from ...terminal.output import plain
from .answer import BATCHES, EXACT, Answer
from .question import Question

_ROWS = 12
"""Components that are printed unless --all: those that are largest."""


def print_answer(console: Console, question: Question, answer: Answer) -> None:
    """The problem, what is to be known of it, the gradient, estimates and ascents."""
    for line in (*_head(question, answer), *_notes(question, answer), *_gradient(answer)):
        console.print(line, highlight=False)
    console.print(_components(question, answer))
    console.print(_estimates(question, answer))
    if answer.ascents:
        console.print(_ascents(question, answer))


def _head(question: Question, answer: Answer) -> Iterator[str]:
    model = answer.model
    yield (
        f"[bold]{plain(question.options.model)}[/bold]: {count(model.n_states, 'state')}, "
        f"{count(model.n_actions, 'action')}, temperature {model.temperature:g}, discounts "
        f"{model.follower_discount:g} (follower) and {model.leader_discount:g} (leader); "
        f"{count(len(question.parameters), 'parameter')} of the leader"
    )


def _notes(question: Question, answer: Answer) -> Iterator[str]:
    model = answer.model
    if question.options.model == "four-rooms":
        yield (
            "  note: the follower plans and walks by one kernel, in which a step goes where it is "
            "meant to with probability 0.67; the released code plans by another"
        )
    reached = np.zeros(model.n_states, bool)
    chain = model.chain(np.ones((model.n_states, model.n_actions)))
    for start in np.flatnonzero(model.initial):
        if not reached[start]:
            reached[breadth_first_order(chain, start, return_predecessors=False)] = True
    if not reached.all():
        yield f"  note: {count(int((~reached).sum()), 'state')} cannot be reached, whoever acts"
    if model.n_actions == 1:
        yield "  note: the follower has a single action, so that it cannot react"
    yield from _cut(question, answer, ends=bool((model.terminal & reached).any()))
    maps = getattr(question.leader, "maps", None)
    if "sobirl" in answer.estimates and maps is not None and maps.follower_rewards is None:
        yield (
            "  note: sobirl sees the follower's rewards alone, which this leader does not move: "
            "its estimate is the direct part, as that of naive"
        )


_SEEN = 1e-6
"""Share of episodes that is not worth a note: less than any number of them that is drawn."""


def _cut(question: Question, answer: Answer, *, ends: bool) -> Iterator[str]:
    """What episodes lose at the horizon."""
    model, steps = answer.model, question.horizon
    discount = max(model.follower_discount, model.leader_discount)
    left = f"where {discount**steps:.1g} of the discounted sum is left"
    after = count(steps, "step")
    if not ends:
        yield f"  note: no episode ends; estimates cut it after {after}, {left}"
        return
    chain = model.chain(answer.exact.follower.policy).T
    going = model.initial * ~model.terminal
    for _ in range(steps):
        if going.sum() < _SEEN:
            return
        going = np.where(model.terminal, 0.0, chain @ going)
    yield (
        f"  note: not every episode has ended after {after}, {left}; estimates cut "
        f"{going.sum():.2g} of them there. --horizon sets where"
    )


def _gradient(answer: Answer) -> Iterator[str]:
    exact, bound = answer.exact, answer.exact.error_bound
    yield f"\n[bold]leader's return {exact.objective:.10g}[/bold]"
    sure = f"each component right to {bound.max():.1g}"
    if not np.isfinite(bound).all():
        sure = "no bound on its error is known"
    elif not exact.covers_leader:
        sure += " for what the leader returns, whose own rounding is not known"
    yield (
        f"gradient of length {np.linalg.norm(exact.gradient):.6g} ({sure}); the direct part has "
        f"{np.linalg.norm(exact.direct):.4g}, the follower's reaction "
        f"{np.linalg.norm(exact.indirect):.4g}"
    )


def _components(question: Question, answer: Answer) -> Table:
    exact = answer.exact
    shown = [float(f"{abs(x):.8g}") for x in exact.gradient]  # what looks alike keeps its order
    order = np.argsort(-np.array(shown), kind="stable")
    caption = None
    if len(order) > _ROWS and not question.options.whole:
        caption = f"the {_ROWS} largest of {len(order)}; --all prints all"
        order = order[:_ROWS]
    table = Table("parameter", title="\nwhere the gradient points", title_justify="left",
                  caption=caption, caption_justify="left")  # fmt: skip
    for name in ("value", "gradient", "error at most", "direct", "reaction", *answer.estimates):
        table.add_column(name, justify="right")
    for k in order.tolist():
        estimates = (f"{e.mean[k]:.4g} +- {e.error[k]:.2g}" for e in answer.estimates.values())
        table.add_row(
            plain(question.names[k]), f"{question.parameters[k]:.4g}", f"{exact.gradient[k]:.8g}",
            f"{exact.error_bound[k]:.1g}", f"{exact.direct[k]:.4g}", f"{exact.indirect[k]:.4g}",
            *estimates,
        )  # fmt: skip
    return table


def _estimates(question: Question, answer: Answer) -> Table:
    size = max(1, question.options.episodes // BATCHES)
    table = Table("estimator", title=f"\nestimates: means of {BATCHES} batches of "
                  f"{count(size, 'episode')}", title_justify="left")  # fmt: skip
    for name in ("cosine", "length", "largest deviation in standard errors"):
        table.add_column(name, justify="right")
    table.add_column("what it is")
    gradient = answer.exact.gradient
    for name, one in answer.estimates.items():
        moved = one.error > 1e-12 * np.linalg.norm(gradient)  # the rest is rounding
        deviation = np.abs(one.mean - gradient)[moved] / one.error[moved]
        cosine = one.cosine(gradient)
        table.add_row(
            name, "none: zero" if np.isnan(cosine) else f"{cosine:.4f}",
            f"{np.linalg.norm(one.mean):.4g}",
            f"{deviation.max():.3g}" if moved.any() else "without noise",
            METHODS[name].meaning,
        )  # fmt: skip
    return table


def _ascents(question: Question, answer: Answer) -> Table:
    options = question.options
    exact, caption = answer.ascents[EXACT].objectives, None
    if exact[-1] < exact[0]:
        caption = "the exact ascent ends lower than it began; a smaller --learning-rate may climb"
    table = Table("ascent by", title=f"\nleader's exact return, {options.iterations:,} iterations, "
                  f"learning rate {options.learning_rate:g}", title_justify="left",
                  caption=caption, caption_justify="left")  # fmt: skip
    for name in ("start", "end", "best on the way", "samples"):
        table.add_column(name, justify="right")
    for name, one in answer.ascents.items():
        ends = (one.objectives[0], one.objectives[-1], one.objectives.max())
        samples = int(one.iterations[-1]) * answer.samples.get(name, 0)
        table.add_row(
            name, *(f"{x:.6g}" for x in ends), f"{samples:,}" if name != EXACT else "none"
        )
    return table
