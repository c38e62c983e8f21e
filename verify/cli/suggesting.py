"""``suggest``: a sharper constant for a theorem, as a conjecture."""

from __future__ import annotations

from collections.abc import Iterator

import click

from holdfast.theory import Sign
from holdfast.verify.binding.claims import Claim
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.schedule import Budget
from holdfast.verify.report.numbers import count, shorten
from holdfast.verify.search.hunt import Hunt, hunt
from holdfast.verify.search.suggestion import Contradicted, Suggestion, suggest

from ..terminal import output
from ..terminal.options import seed_option
from .selection import one

_LISTED = 6
"""Mutants that fit a screen beside the case."""


@click.command()
@click.argument("label")
@click.option(
    "--budget",
    default="20s",
    show_default=True,
    help="Time of the hunt, such as 20s or 2m, or its number of models, such as 500.",
)
@seed_option
def suggest_command(label: str, budget: str, seed: int) -> int:
    """Suggest a sharper constant for the theorem LABEL, as a conjecture.

    A hunt looks for the case on which the two sides come closest; the corpus, the landmarks of the
    family and some drawn models count as well. Where the sides are equal, or come as close as one
    likes, no smaller constant is possible. Elsewhere the larger side (the one farther from zero) is
    multiplied by the simplest number near it that nothing seen speaks against. That is a conjecture
    about the cases of this family, and no theorem; what would decide it is printed beside it. So
    are the mutants that sharpen the statement in another place and that nothing seen refutes.

    The exit code is 2 if nothing can be suggested, since no model was telling, and 1 if the
    theorem is violated.
    """
    effort = Budget.parse(budget)
    claim = one(label)
    if all(part.sign in (Sign.EQ, Sign.NE) for part in claim.theorem.parts):
        raise click.BadParameter(
            f"{claim.name} states {claim.theorem.relation}, which has no side that could be smaller"
        )
    if claim.theorem.standing.is_false:
        raise click.BadParameter(
            f"{claim.name} is known to be false, so that no sharper constant can be true; "
            f"holdfast show {claim.name} names what is true in its place"
        )
    console = output.console()
    with console.status(f"searching on {claim.name} for {budget}"):
        found = hunt(claim, seed=seed, budget=effort)
        try:
            suggestions = () if found.violation else suggest(claim, found)
            violated = "" if found.violation is None else "hunt"
        except Contradicted:
            violated = "verify"
    if violated:
        console.print(
            f"{claim.name} is violated, so no sharper constant can be true; holdfast {violated} "
            f"{output.plain(label)} shows the counterexample",
            highlight=False,
        )
        return ExitCode.VIOLATION
    for line in _lines(claim, found, suggestions):
        console.print(output.plain(line), highlight=False)
    return ExitCode.AS_EXPECTED if suggestions else ExitCode.UNDECIDED


def _lines(claim: Claim, found: Hunt, suggestions: tuple[Suggestion, ...]) -> Iterator[str]:
    seen = f"{count(found.models, 'model')}, {found.telling} of them telling, seed {found.seed}"
    yield f"{found.claim}: {seen}"
    by_part = {one.extremal.peak.observation.part: one for one in suggestions}
    for part, relation in enumerate(claim.theorem.parts):
        yield ""
        yield f"{relation}"
        if part in by_part:
            yield from _part(by_part[part], found)
        elif relation.sign in (Sign.EQ, Sign.NE):
            yield "  nothing to suggest: it has no side that could be smaller"
        elif not found.telling:
            yield "  nothing to suggest: no model was telling; try a larger --budget"
        else:
            yield (
                "  nothing to suggest: the two sides had no ratio, since on each model they "
                "differed in sign or were both zero"
            )


def _part(one_part: Suggestion, found: Hunt) -> Iterator[str]:
    peak = one_part.extremal.peak
    yield f"  largest ratio {shorten(one_part.extremal.ratio, 60)}"
    if one_part.relation is None:
        yield f"  {one_part.why}"
    else:
        yield f"  CONJECTURE, on {count(found.models, 'model')}: {one_part.relation}"
        yield f"  {one_part.why}; nothing proves it."
        yield "  It is decided by a model with a larger ratio than that, or by a proof. To look on:"
        yield f"    holdfast suggest {found.claim} --budget 5m --seed {found.seed + 1}"
        for place, value in one_part.at_ends:
            yield (
                f"  Integer {place + 1} of the extremal case is {value}, the end of its range: the "
                "family stopped it there, so a family with a larger one may refute this."
            )
    yield from _mutants(one_part)
    yield "  the extremal case:"
    yield from (f"    {shorten(line, 400)}" for line in peak.observation.lines()[1:])


def _mutants(one_part: Suggestion) -> Iterator[str]:
    whose = "statement" if one_part.relation is None else "conjecture"
    of = f"of {count(one_part.mutants, 'mutant')} of this {whose}"
    like = f"sharper on some of {count(one_part.cases, 'case')} and refuted by none"
    if not one_part.undecided:
        yield f"  No other change would decide more: {of} none is {like}."
        return
    yield f"  What would decide more, {of} those that are {like}:"
    yield from (f"    {relation}" for relation in one_part.undecided[:_LISTED])
    if more := one_part.undecided[_LISTED:]:
        yield f"    and {len(more)} more"
