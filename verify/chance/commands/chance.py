"""``chance``: the optimum under a bound on the chance of an unsafe state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console

from ...cmdp.named_models import MODEL_HELP, discount_option, read_model
from ...terminal import output
from ...terminal.certificates import make_room
from ...terminal.options import (
    Whole,
    all_option,
    certificate_option,
    plot_option,
    refuse_idle,
    time_option,
)
from ...terminal.targets import check_targets
from .endless import answer_ever, answer_fading
from .question import Options, Question, read_levels, unsafe_states
from .within import answer_within

_HORIZON = Whole(1, 10**6)
"""Decisions; more would fill the memory, a table of every state at each time, before it ends."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: what answers it; why options have no effect on it, and which these are."""

    answer: Callable[[Console, Question], int]
    idle: Mapping[str, tuple[str, ...]]


_ENDLESS = ("plot", "compare_boole", "then_free", "charge", "whole", "method", "budget")
_WITHIN = Kind(
    answer_within, {"is for problems without a horizon; drop --horizon": ("fading", "width")}
)
_EVER = Kind(answer_ever, {
    "needs a --horizon": _ENDLESS,
    "needs a --horizon, or --fading: the bounds have none": ("certificate",),
})  # fmt: skip
_FADING = Kind(answer_fading, {
    "needs a --horizon": _ENDLESS,
    "is that of an enclosure; with --fading the optimum is exact": ("width",),
})  # fmt: skip


@click.command(epilog=MODEL_HELP)
@click.argument("model")
@click.option("--risk", "risks", multiple=True, required=True,
              help="Upper bound on the probability of visiting an unsafe state. Give several "
              "(0.05,0.1) for a table.")  # fmt: skip
@click.option("--horizon", type=_HORIZON,
              help="Number of decisions T; the states s_1 .. s_T are watched. Without a horizon "
              "the bound is on the probability of ever visiting an unsafe state, and the optimum "
              "is enclosed.")  # fmt: skip
@click.option("--then-free", is_flag=True,
              help="Continue after the horizon indefinitely, without the "
              "constraint.")  # fmt: skip
@click.option("--fading", is_flag=True,
              help="Without a horizon: bound E[gamma^tau] instead, where tau is the time of the "
              "first unsafe visit.")  # fmt: skip
@click.option("--width", default="1/1000000", show_default=True,
              help="Without a horizon: largest width of the enclosure.")  # fmt: skip
@click.option("--unsafe", default="unsafe", show_default=True,
              help="Unsafe states: a label of the model, or numbers such as 3,7,12.")  # fmt: skip
@click.option("--charge", default="0", show_default=True,
              help="The j-th unsafe visit costs charge^(j-1): 0 bounds the probability of any "
              "visit, 1 the expected number of visits (Boole's sum).")  # fmt: skip
@click.option("--counts-start", is_flag=True, help="Watch the start s_0 too.")
@click.option("--reward-only-safe", is_flag=True, help="Earn nothing after an unsafe state.")
@click.option("--compare-boole", is_flag=True,
              help="Also print the optimum under Boole's sum, which is at most that of the joint "
              "chance.")  # fmt: skip
@discount_option
@click.option("--method", type=click.Choice(["exact", "program"]), default="exact",
              show_default=True, help="exact: the chord method. program: one linear program over "
              "time, state and whether the constraint is violated.")  # fmt: skip
@time_option
@certificate_option
@all_option
@plot_option("value against risk, and episodes on a map of the model,")
def chance_command(**given: Any) -> int:
    """Solve MODEL with a bound on the chance that some state is unsafe.

    Maximises the discounted reward. The model's own costs take no part. With a horizon, an optimal
    policy flips one coin an episode between a safer and a bolder deterministic policy. Both are
    printed, and the answer has a certificate that `holdfast check` accepts.
    """
    options = Options(**given)
    targets = [("--certificate", options.certificate), ("--plot", options.plot)]
    check_targets(targets, {"the model": options.model})
    model = read_model(options.model, (), (), options.discount)
    unsafe = unsafe_states(model, options.unsafe)
    question = Question(options, model, unsafe, read_levels(options.risks))
    if len(question.levels) > 1:
        check_targets([("--certificate", question.certificate(one)) for one in question.levels])
    if options.horizon is None and model.discount == 1:
        raise click.BadParameter("give a --horizon, the number of decisions: the discount is 1")
    kind = _kind(options)
    for why, names in kind.idle.items():
        refuse_idle(names, why)
    if len(question.levels) > 1:
        refuse_idle(["whole"], "prints the policy of one level; several make a table")
    if kind is not _EVER:
        make_room(options.certificate)
    console = output.console()
    if model.n_constraints:
        console.print(
            f"note: the model's own costs and limits ({model.n_constraints}) take no part; the "
            "risk is all that is bounded"
        )
    return kind.answer(console, question)


def _kind(options: Options) -> Kind:
    if options.horizon is not None:
        return _WITHIN
    return _FADING if options.fading else _EVER
