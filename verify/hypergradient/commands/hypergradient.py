"""``holdfast hypergradient``: the gradient of a leader's return, estimates of it, and ascent."""

from __future__ import annotations

import math
from typing import Any

import click

from holdfast.solvers.hypergradient.estimators.estimate import METHODS
from holdfast.verify.campaign.exit_codes import ExitCode

from ...cmdp.named_models import COST_HELP, MODEL_HELP, discount_option
from ...terminal import output
from ...terminal.json_files import write_json
from ...terminal.options import (
    Whole,
    json_option,
    plot_option,
    refuse_idle,
    refuse_repeated,
    seed_option,
)
from ...terminal.targets import check_picture, check_targets
from .answer import BATCHES, answer_of, document
from .printing import print_answer
from .question import BUILT_IN, GAME, OWN, Options, read_question


class _Positive(click.ParamType):
    """A number above 0, with a finite inverse."""

    name = "number above 0"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number; fails with the value."""
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not (0 < number < math.inf and 1 / number < math.inf):
            self.fail(f"{str(value)[:40]!r} is not a number above 0, such as 0.05", param, ctx)
        return number


_POSITIVE = _Positive()


@click.command(
    epilog=f"{MODEL_HELP} Bilevel problems as published: {', '.join(BUILT_IN)}. "
    f"{GAME}NAME is a game of OpenSpiel whose two players move at once."
)
@click.argument("model")
@click.option("--leader", default=OWN, show_default=True, help="What the leader moves: own, that "
              "of a published problem; rewards, an amount that it adds to the follower's reward in "
              "each state; budget, shares of --amount spread over the states; or module:function, "
              "which takes the BilevelModel and returns a leader.")  # fmt: skip
@click.option("--temperature", type=_POSITIVE, help="Of the follower: the price of its "
              "log-probabilities. Published problems have their own.")  # fmt: skip
@click.option("--cost", "costs", multiple=True, help="What the leader wants to be rare, for gym: "
              f"models; others bring it, their first cost. {COST_HELP}")  # fmt: skip
@discount_option
@click.option(
    "--leader-discount",
    type=float,
    help="Of the leader's return, at least 0 and below 1; default the follower's.",
)
@click.option("--amount", type=float, default=-0.2, show_default=True, help="What --leader budget "
              "spreads: below 0 penalties, above 0 bonuses.")  # fmt: skip
@click.option("--at", type=click.Path(), metavar="FILE", help="Where to differentiate: a .npy "
              "file of one number a parameter; default the leader's own start.")  # fmt: skip
@click.option("--method", "methods", multiple=True, type=click.Choice(list(METHODS)),
              default=("bc-hg", "naive"), show_default=True, help="Estimators.")  # fmt: skip
@click.option("--critic", type=click.Choice(["exact", "sarsa", "monte-carlo"]), help="The leader's "
              "values in estimates; default exact, or what the method has instead of "
              "SARSA.")  # fmt: skip
@click.option("--episodes", type=Whole(BATCHES, 10**6), default=400, show_default=True,
              help=f"Of each estimate, in {BATCHES} batches.")  # fmt: skip
@click.option("--horizon", type=Whole(1, 10**6), help="Steps after which an episode is cut. "
              "Default: where a ten-thousandth of the discounted sum is left.")  # fmt: skip
@click.option("--ascend", "iterations", type=Whole(1, 10**7), help="Also ascend, for so many "
              "iterations, by the exact gradient and by each estimator.")  # fmt: skip
@click.option("--steps", type=Whole(1, 10**7), default=1000, show_default=True,
              help="Of the follower, at each iteration of a sampled ascent.")  # fmt: skip
@click.option("--learning-rate", type=_POSITIVE, default=0.1, show_default=True,
              help="Of an ascent; gradients longer than 1 are scaled down to 1.")  # fmt: skip
@seed_option
@click.option("--all", "whole", is_flag=True, help="Print every component.")
@json_option
@plot_option("where the gradient points, and the leader's objective against samples,")
def hypergradient_command(**given: Any) -> int:
    """Differentiate a leader's return in MODEL through the follower's best response.

    The follower maximises its discounted reward and temperature times entropy, so that it answers
    softly; the leader moves the follower's problem. Prints the exact gradient with a bound on the
    error of each component, and what estimators make of it from episodes. Returns are sums of
    gamma^t r_t, not averages.
    """
    options = Options(**given)
    refuse_repeated(options.methods, "--method")
    if options.iterations is None:
        refuse_idle(["steps", "learning_rate"], "has no effect without --ascend")
    check_picture(options.plot)
    reads = {"the model": options.model, "--at": options.at or options.model}
    check_targets([("--json", options.json_path), ("--plot", options.plot)], reads)
    question = read_question(options)
    console = output.console()
    answer = answer_of(question)
    print_answer(console, question, answer)
    if options.json_path:
        write_json(document(question, answer), options.json_path)
        console.print(f"numbers: {output.plain(options.json_path)}", highlight=False)
    if options.plot:
        from ..pictures import draw_hypergradient

        path = draw_hypergradient(question, answer, options.plot)
        console.print(f"plot: {output.plain(path)}", highlight=False)
    return ExitCode.AS_EXPECTED
