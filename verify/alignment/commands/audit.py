"""``holdfast audit``: a log of a constrained training, or a batch, against its own rule."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import click

from holdfast.solvers.alignment.audits.batches import FORMS
from holdfast.solvers.alignment.audits.printed import PRECISIONS, exact_number
from holdfast.solvers.alignment.audits.rules import KINDS, Rule
from holdfast.solvers.alignment.audits.scalar import TIMINGS
from holdfast.solvers.errors import ModelError

from ...terminal import output
from ...terminal.options import Whole, json_option, plot_option, refuse_idle
from ...terminal.targets import check_picture, check_targets
from .answers import console_beside, file_of, write_beside
from .audit_answer import Columns, audit_batch, audit_run, find_columns, holds_batch
from .audit_printing import batch_document, print_batch, print_run, run_document
from .presets import PRESETS
from .run_logs import Table, read_table


class _Decimal(click.ParamType):
    """A number in decimal digits, taken as the rational that it is."""

    name = "number"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        """The number; fails with the value."""
        if isinstance(value, Fraction):
            return value
        try:
            return exact_number(str(value), "it")
        except ModelError as error:
            return self.fail(f"{error}, such as 0.05", param, ctx)


_NUMBER = _Decimal()
_OF_RUNS = ("limit", "at_least", "rate", "rule", "cap", "average", "average_start", "gains",
            "multiplier_start", "logged", "updates", "preset", "multiplier", "value",
            "step")  # fmt: skip
_OF_BATCHES = ("rewards", "advantages", "groups", "logps", "sampler_logps", "responses", "form")


@click.command(name="audit")
@click.argument("log", metavar="LOG")
@click.option("--preset", type=click.Choice(["auto", *PRESETS]), default="auto", show_default=True,
              help="Whose names and whose rule; auto goes by the columns.")  # fmt: skip
@click.option("--step", metavar="COLUMN", help="Column of steps.")
@click.option("--multiplier", metavar="COLUMN", help="Column of the multiplier.")
@click.option("--value", metavar="COLUMN", help="Column of what is constrained, such as the mean "
              "cost of an episode.")  # fmt: skip
@click.option("--limit", type=_NUMBER, help="What the value is to stay at or below.")
@click.option("--at-least", type=_NUMBER, help="What the value is to reach, in place of --limit.")
@click.option("--rate", type=_NUMBER, help="Learning rate of the multiplier.")
@click.option("--rule", type=click.Choice(KINDS), help="How it is updated. Default: as the preset "
              "does: plain, lam + rate u with the violation u; log, the logarithm moves by rate u "
              "lam; adam and log-adam, a step of Adam; pid.")  # fmt: skip
@click.option("--gains", metavar="KP,KI,KD", help="Gains of --rule pid.")
@click.option("--cap", type=_NUMBER, help="The largest multiplier.")
@click.option("--average", type=_NUMBER, help="rho of a moving average rho e + (1 - rho) value, "
              "which the update takes in place of the value.")  # fmt: skip
@click.option("--average-start", type=_NUMBER, help="That average before the update of the first "
              "row. Default: unknown.")  # fmt: skip
@click.option("--multiplier-start", type=_NUMBER, help="The multiplier before the update of the "
              "first row. Default: unknown.")  # fmt: skip
@click.option("--logged", type=click.Choice(TIMINGS), help="Whether the multiplier of a row is the "
              "one after the update by the row's value, or before. Default: what "
              "agrees.")  # fmt: skip
@click.option("--updates", type=Whole(1, 1000), help="How many updates of the multiplier there are "
              "by the value of each row, one after the other. Default: 1, or unknown where the log "
              "contradicts that and its steps are further apart.")  # fmt: skip
@click.option("--exact", is_flag=True, help="Numbers are what is printed, to the last digit.")
@click.option("--precision", type=click.Choice(list(PRECISIONS)), help="Of the program that "
              "trained. Default: the preset's; float32 unless numbers show more.")  # fmt: skip
@click.option("--rewards", metavar="COLUMN", help="Of a batch: column of rewards.")
@click.option("--advantages", metavar="COLUMN", help="Of a batch: column of advantages.")
@click.option("--groups", metavar="COLUMN", help="Of a batch: column that names a row's group.")
@click.option("--form", type=click.Choice(list(FORMS)), help="Of a batch: what the advantages are "
              "said to be. Default: any of the known forms will do.")  # fmt: skip
@click.option("--logps", metavar="COLUMN", help="Of a batch: log-probabilities of the responses "
              "under the policy that is trained.")  # fmt: skip
@click.option("--sampler-logps", metavar="COLUMN", help="Of a batch: the same under the policy "
              "that drew them.")  # fmt: skip
@click.option(
    "--responses", metavar="COLUMN", help="Of a batch: the responses, to tell equal ones."
)
@json_option
@plot_option("multipliers and what the rule gives")
def audit_command(**given: Any) -> int:
    """Check LOG, what a constrained training has logged, against the rule of its multiplier.

    LOG is a .jsonl or .csv file, a trainer_state.json, an event file of TensorBoard, or a folder
    that holds one. Says at which step the multiplier contradicts its own update first, and what
    average violation the path of the multiplier certifies, without any assumption. If LOG has
    groups, rewards and advantages instead, these are recomputed as rationals.
    """
    check_picture(given["plot"])
    targets = [("--json", file_of(given["json_path"])), ("--plot", given["plot"])]
    check_targets(targets, {"the log": given["log"]})
    table = read_table(given["log"])
    if holds_batch(table, given):
        return _batch(table, given)
    return _run(table, given)


def _run(table: Table, given: dict[str, Any]) -> int:
    refuse_idle(_OF_BATCHES, "has no effect on the log of a run")
    columns = find_columns(table, given)
    found = audit_run(table, columns, _rule(given, columns), given)
    console = console_beside(given["json_path"])
    print_run(console, found)
    write_beside(console, run_document(found), given["json_path"])
    if given["plot"]:
        from ..audit_pictures import draw_run

        path = draw_run(found, given["plot"])
        console.print(f"plot: {output.plain(path)}", highlight=False)
    return found.code


def _batch(table: Table, given: dict[str, Any]) -> int:
    refuse_idle([*_OF_RUNS, "plot"], "has no effect on a batch")
    found = audit_batch(table, given)
    console = console_beside(given["json_path"])
    print_batch(console, found)
    write_beside(console, batch_document(found), given["json_path"])
    return found.code


def _rule(given: dict[str, Any], columns: Columns) -> Rule:
    """The rule of the options and the preset; raises click.BadParameter for what is missing or has
    no effect, and ModelError as `Rule`."""
    limit, at_least = given["limit"], given["at_least"]
    if (limit is None) == (at_least is None):
        raise click.BadParameter(
            "give one of --limit, which the value is to stay at or below, and --at-least, which it "
            "is to reach"
        )
    kind = given["rule"] or PRESETS[columns.preset].rule
    if kind == "pid":
        refuse_idle(["rate"], "has no effect with --rule pid, which has --gains")
    else:
        refuse_idle(["gains"], "has no effect without --rule pid")
        if given["rate"] is None:
            raise click.BadParameter(f"--rate is missing: the learning rate of the {kind} rule")
    if given["average"] is None:
        refuse_idle(["average_start"], "has no effect without --average")
    return Rule(
        kind=kind, rate=given["rate"] or Fraction(0), target=at_least if limit is None else limit,
        at_least=limit is None, cap=given["cap"], initial=given["multiplier_start"],
        average=given["average"], start=given["average_start"], gains=_gains(given["gains"], kind),
        updates=given["updates"] or 1,
    )  # fmt: skip


def _gains(text: str | None, kind: str) -> tuple[Fraction, Fraction, Fraction] | None:
    if kind != "pid":
        return None
    parts = (text or "").split(",")
    if len(parts) != 3:
        raise click.BadParameter("--rule pid needs --gains KP,KI,KD, such as 0.05,0.0005,0.1")
    kp, ki, kd = (_NUMBER.convert(part, None, None) for part in parts)
    return kp, ki, kd
