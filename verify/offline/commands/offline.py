"""``holdfast offline``: what a log supports, the best policy within that, and its certificate."""

from __future__ import annotations

from typing import Any

import click

from holdfast.verify.campaign.exit_codes import ExitCode

from ...cmdp.named_models import MODEL_HELP, model_options
from ...terminal import output
from ...terminal.json_files import write_json
from ...terminal.options import (
    Whole,
    all_option,
    json_option,
    plot_option,
    refuse_idle,
    refuse_repeated,
    seed_option,
    time_option,
)
from ...terminal.targets import check_picture, check_targets
from .guarded_answer import answer_of, document
from .guarded_printing import print_answer
from .guarded_question import GUARDIANS, Options, is_log, read_question, refuse_unknown

_LOGGED = ("columns", "bins", "reward_range", "cost_ranges", "n_states", "deterministic")
_SIMULATED = ("behaviour", "steps", "length", "seed", "costs", "reward")


@click.command(name="offline", epilog=MODEL_HELP)
@click.argument("data", metavar="DATA|MODEL")
@click.option("--column", "columns", multiple=True, metavar="WHAT=NAME", help="Column of a log "
              "that holds the state, action, reward, cost (may be repeated), next_state, done, cut "
              "or episode.")  # fmt: skip
@click.option("--bins", type=Whole(1, 1000), help="Cut each number of an HDF5 data set into so "
              "many equal bins.")  # fmt: skip
@click.option("--reward-range", nargs=2, metavar="LOW HIGH", help="What no reward leaves. Default: "
              "those of the log.")  # fmt: skip
@click.option("--cost-range", "cost_ranges", nargs=2, multiple=True, metavar="LOW HIGH",
              help="The same of each cost, in their order.")  # fmt: skip
@click.option("--return-range", nargs=2, metavar="LOW HIGH", help="What no return of any state "
              "leaves. Default: what the range of rewards says of their sum.")  # fmt: skip
@click.option("--states", "n_states", type=Whole(1, 10**9), help="How many states there are. "
              "Default: those of the log.")  # fmt: skip
@click.option("--deterministic", type=click.Choice(["reward", "cost"]), multiple=True,
              help="What is a function of state and action alone, so that visits show it exactly: "
              "the reward, or every cost. A log cannot show that.")  # fmt: skip
@click.option("--behaviour", metavar="NAME|FILE", default="uniform", show_default=True,
              help="Who made the log of a model: uniform, expert (icu-sepsis), or a .npy file of "
              "probabilities, [states, actions].")  # fmt: skip
@click.option("--steps", type=Whole(1, 10**7), help="Steps of the log that is simulated in a "
              "MODEL.")  # fmt: skip
@click.option("--length", type=Whole(1, 10**7), default=500, show_default=True,
              help="Steps after which its episodes are cut.")  # fmt: skip
@click.option("--guardian", type=click.Choice(GUARDIANS), default="count", show_default=True,
              help="What is supported: pairs with --n0 visits, or by their features an ellipsoid "
              "of small volume or a kernel density.")  # fmt: skip
@click.option("--n0", type=Whole(1, 10**12), default=30, show_default=True,
              help="Least visits of a supported pair.")  # fmt: skip
@click.option("--features", type=click.Path(), metavar="FILE", help="Of pairs: a .npy file of "
              "shape [states, actions, p].")  # fmt: skip
@click.option("--left-out", type=float, default=0.05, show_default=True,
              help="Share of the steps that an ellipsoid or a density may leave out.")  # fmt: skip
@click.option("--bandwidth", type=float, default=0.535, show_default=True,
              help="Of the density, on features scaled to [-1, 1].")  # fmt: skip
@click.option("--exits", default="0", show_default=True, help="Budget of the discounted time "
              "outside of the support.")  # fmt: skip
@click.option("--delta", default="1/20", show_default=True,
              help="The probability with which a bound may be wrong.")  # fmt: skip
@model_options
@time_option
@seed_option
@all_option
@json_option
@plot_option("the bounds of all plans, and what takes how much of them,")
def offline_command(**given: Any) -> int:
    """Plan within what logged data support, and certify what they certify.

    DATA is a log: a .csv of codes (state, action, reward, cost, next_state, done), a .npz of the
    same, or an HDF5 data set with --bins. With a MODEL, a log of --steps is simulated, and exact
    values stand beside. Values are sums of gamma^t r_t, not averages.
    """
    options = Options(**given)
    logged = is_log(options.data)
    refuse_repeated(options.columns, "--column")
    refuse_repeated(options.deterministic, "--deterministic")
    if logged:
        refuse_idle(_SIMULATED, "has no effect on a log, which is as it is")
    else:
        refuse_unknown(options.data)
        refuse_idle(_LOGGED, "has no effect on a model, which says it")
    if options.guardian == "count":
        refuse_idle(["features", "left_out"], "has no effect with --guardian count")
    else:
        refuse_idle(["n0"], f"has no effect with --guardian {options.guardian}")
    if options.guardian != "density":
        refuse_idle(["bandwidth"], "has no effect without --guardian density")
    check_picture(options.plot)
    reads = {"the data": options.data}
    if options.features:
        reads["--features"] = options.features
    check_targets([("--json", options.json_path), ("--plot", options.plot)], reads)
    question = read_question(options)
    console = output.console()
    answer = answer_of(question)
    print_answer(console, question, answer)
    if options.json_path:
        write_json(document(question, answer), options.json_path)
        console.print(f"numbers: {output.plain(options.json_path)}", highlight=False)
    if options.plot:
        from ..pictures_guarded import draw_plans

        path = draw_plans(answer, options.plot)
        console.print(f"plot: {output.plain(path)}", highlight=False)
    return ExitCode.AS_EXPECTED
