"""``holdfast budget``: the relative budgets of the prompts of a log, and what they mean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from holdfast.solvers.errors import ModelError
from holdfast.solvers.poisoning.data.bounded_files import listed, shown
from holdfast.solvers.relative_budget.estimate.fitting import FAMILIES
from holdfast.solvers.relative_budget.estimate.rollouts import LONGEST, Rollouts, read_rollouts
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.report.numbers import count

from ...terminal import output
from ...terminal.json_files import write_json
from ...terminal.options import Whole, json_option, plot_option, refuse_idle
from ...terminal.targets import check_picture, check_targets
from .answer import Options, answer_of, document
from .logs import KNOWN, Log, read_log
from .printing import print_answer
from .texts import FEW, count_tokens

_TOKENS = Whole(1, LONGEST)


class _Size(Whole):
    """A number of rewards, of which the greatest is written as a power."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The number; fails with the value and the range."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            words = f"{shown(str(value))} is not a whole number from 1 to 10^300"
        return self.fail(words, param, ctx)


@click.command(name="budget")
@click.argument("lengths", metavar="LENGTHS")
@click.option("--horizon", type=_TOKENS, required=True, help="Tokens that a rollout is given: the "
              "budget that is asked about.")  # fmt: skip
@click.option("--cap", type=_TOKENS, help="Tokens at which the rollouts of the log were cut. "
              "Default: the horizon.")  # fmt: skip
@click.option("--wrong", type=click.Choice(["infinite", "continues", "restarts"]),
              default="infinite", show_default=True, help="Of a rollout that ended on a wrong "
              "answer: it is never solved; it would have gone on like the others; or it begins "
              "again until it is solved.")  # fmt: skip
@click.option("--family", type=click.Choice(FAMILIES), default="gamma", show_default=True,
              help="Law of the tokens that a prompt needs, of one shape for all.")  # fmt: skip
@click.option("--steps", type=Whole(1, 10**6), help="The rollouts are chains of so many steps, and "
              "a column of the log counts the steps that each has made.")  # fmt: skip
@click.option("--kappa", type=float, default=0.25, show_default=True, help="Radius of the ball "
              "(chi-square) in which the policy is improved.")  # fmt: skip
@click.option("--class-size", type=_Size(1, 10**300), default=100, show_default=True,
              help="Rewards that come into question before anything is seen.")  # fmt: skip
@click.option("--delta", type=float, default=0.05, show_default=True, help="The probability with "
              "which the improvement may fail.")  # fmt: skip
@click.option("--spend", type=Whole(1, 10**18), help="Tokens to be spent. Default: as many as the "
              "log has.")  # fmt: skip
@click.option("--lengths", "length_column", metavar="COLUMN", help="Column of token counts; of "
              "texts, with --tokenizer.")  # fmt: skip
@click.option("--solved", "solved_column", metavar="COLUMN", help="Column that says whether a "
              "rollout is solved.")  # fmt: skip
@click.option("--solved-from", type=float, help="Least score that counts as solved, where that "
              "column is a score.")  # fmt: skip
@click.option("--prompts", "prompt_column", metavar="COLUMN", help="Column of prompts.")
@click.option("--advances", "advances_column", metavar="COLUMN", help="Column of steps made, for "
              "--steps.")  # fmt: skip
@click.option("--pool", is_flag=True, help="Take all rollouts as those of one prompt.")
@click.option("--tokenizer", type=click.Path(), help="A tokenizer.json, or its folder, with which "
              "the texts of the log are counted; counts that it has are not read.")  # fmt: skip
@click.option("--all", "whole", is_flag=True, help="Print every prompt.")
@json_option
@plot_option("the distribution with its fit, and efficiency against the horizon,")
def budget_command(**given: Any) -> int:
    """Estimate the relative budgets of LENGTHS, a log of rollouts.

    LENGTHS is a .csv, .jsonl or .parquet file with one rollout a row: its prompt, its tokens and
    whether it is solved; or what TRL or verl have logged. The relative budget is the horizon in
    units of the expected number of tokens until a rollout is solved. Rollouts that were cut count
    as such, so that it may also come out below 1.
    """
    options = Options(**given)
    _check(options)
    rollouts, log, notes = _read(options)
    answer = answer_of(options, rollouts, notes)
    console = output.console()
    print_answer(console, options, log, answer)
    if options.json_path:
        write_json(document(options, log, answer), options.json_path)
        console.print(f"numbers: {output.plain(options.json_path)}", highlight=False)
    if options.plot:
        from ..pictures import draw_budget

        path = draw_budget(options, answer, options.plot)
        console.print(f"plot: {output.plain(path)}", highlight=False)
    return ExitCode.AS_EXPECTED


def _check(options: Options) -> None:
    """What can be said before the file is read."""
    if not (np.isfinite(options.kappa) and options.kappa > 0):
        raise click.BadParameter(
            f"--kappa is {options.kappa:g}; the radius of a ball is a number above 0"
        )
    if options.solved_from is not None and not np.isfinite(options.solved_from):
        raise click.BadParameter(
            f"--solved-from is {options.solved_from:g}; the least score that counts as solved is a "
            "finite number"
        )
    if not 0 < options.delta < 1:
        raise click.BadParameter(
            f"--delta is {options.delta:g}; the probability of failure is a number above 0 and "
            "below 1"
        )
    if options.class_size == 1 and options.delta > 0.999:
        raise click.BadParameter(f"--delta {options.delta:g} promises nothing; give a smaller one")
    if options.pool:
        refuse_idle(["prompt_column", "whole"], "has no effect with --pool")
    if options.steps is None:
        refuse_idle(["advances_column"], "has no effect without --steps")
    else:
        refuse_idle(["family"], "has no effect with --steps: such a chain is negative binomial")
    if options.wrong == "restarts":
        refuse_idle(["family", "steps"], "has no effect with --wrong restarts, which takes the law "
                    "of many attempts")  # fmt: skip
    if options.tokenizer is not None and options.wrong == "infinite":
        raise click.BadParameter(
            "--tokenizer counts texts anew, a few tokens off, which leaves open whether a rollout "
            "was cut or ended on a wrong answer; say --wrong continues or --wrong restarts, for "
            "which that does not matter"
        )
    check_picture(options.plot)
    reads = {"the log": options.lengths}
    check_targets([("--json", options.json_path), ("--plot", options.plot)], reads)


def _read(options: Options) -> tuple[Rollouts, Log, list[str]]:
    counted = "text" if options.tokenizer else "length"
    wanted = [counted, "solved"]
    wanted += [] if options.pool else ["prompt"]
    wanted += [] if options.steps is None else ["advances"]
    given = {
        counted: options.length_column,
        "solved": options.solved_column,
        "prompt": options.prompt_column,
        "advances": options.advances_column,
    }
    log = read_log(options.lengths, given, options.solved_from, wanted)
    if options.steps is not None and "advances" not in log.columns:
        raise ModelError(
            f"{options.lengths} has no column advances, which --steps needs; name it with "
            "--advances COLUMN, or leave out --steps"
        )
    cap, notes = options.cap or options.horizon, []
    place = f"{Path(options.lengths).name}, row"
    if options.tokenizer:
        counts: Any = count_tokens(options.tokenizer, log.columns["text"], place)
        beyond = (counts > cap) & (counts <= cap + FEW)  # of more than a few, the cap is not right
        if beyond.any():
            notes.append(
                f"{count(int(beyond.sum()), 'text')} of up to {FEW} tokens more than {cap:,} when "
                "counted anew, as a character that was cut in two may make it, taken as that long"
            )
        old = [name for name in log.unread if name in KNOWN["length"]]
        if old:
            notes.append(f"counts in {listed(old)} are not read: --tokenizer counts the texts anew")
        counts[beyond] = cap
        log = replace(log, columns={**log.columns, "length": counts})
    columns = (log.columns.get(what) for what in ("length", "solved", "prompt"))
    lengths, solved, prompts = columns
    assert lengths is not None and solved is not None
    found = read_rollouts(lengths, solved, prompts, cap, log.columns.get("advances"), place)
    return found, log, notes
