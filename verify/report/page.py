"""What `holdfast show LABEL` prints: one theorem, as it is stated, checked and sourced."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from sympy.printing.pretty.pretty import PrettyPrinter
from sympy.printing.pretty.stringpict import prettyForm

from holdfast.theory.relations import PlusFirst

from ..engine.fairness import why_fair
from .numbers import rounded, shorten
from .places import places
from .text import VisibleText as Text
from .wording import STANDINGS, printed, sign, standing_word, verdict

if TYPE_CHECKING:
    from holdfast.theory import Refutation, Relation, Theorem

    from ..binding.claims import Claim
    from ..engine.finding import Finding

_LAST = 10
"""Findings shown, so that the page ends on the screen."""


class _Pretty(PlusFirst, PrettyPrinter):  # type: ignore[misc]
    """Prints our quantities as the symbols they are."""

    _print_Quantity = PrettyPrinter._print_Symbol  # sympy.physics has a class of this name


def pretty(relation: Relation) -> str:
    """A relation in two-dimensional Unicode, nothing evaluated or moved across."""
    printer = _Pretty({"use_unicode": True, "wrap_line": False})
    left, right = (printer._print(side) for side in (relation.left, relation.right))
    joined = prettyForm(*left.right(f" {sign(relation)} "))
    return str(prettyForm(*joined.right(right)))


def theorem_page(
    theorem: Theorem, claims: Sequence[Claim], findings: Sequence[Finding]
) -> RenderableType:
    """Statement, assumptions, source, neighbours, files, mutants, and the last findings."""
    checks = (part for claim in claims for part in _checks(claim))
    where = [_where(claims)] if claims else []
    return Group(*_statement(theorem), *where, *checks, _findings(theorem, findings))


def _statement(theorem: Theorem) -> Iterator[RenderableType]:
    yield Text(theorem.title, style="bold")
    yield Text(theorem.label, "dim")
    for part in theorem.parts:
        yield _indented(pretty(part), "bold cyan")
    yield _line("LaTeX", theorem.statement_latex())
    yield _quantities(theorem)
    given = [f"{one.name}: {one.text}" for one in theorem.given]
    yield _line("assumes", "\n".join(given) or "nothing beyond the setting")
    yield _line("standing", f"{standing_word(theorem)}: {STANDINGS[theorem.standing]}")
    yield _line("source", f"{theorem.source} ({theorem.source.provenance.value})")
    others = {"proof": theorem.proof, "remark": theorem.remark, "uses": ", ".join(theorem.uses)}
    for name, text in others.items():
        if text:
            yield _line(name, text)


def _checks(claim: Claim) -> Iterator[RenderableType]:
    if claim.theorem.refutation is not None and claim.witness:
        yield _fair(claim, claim.theorem.refutation)
    if claim.mutants or claim.named_mutants or claim.family.controls:
        yield _mutants(claim)


def _indented(text: str, style: str = "") -> RenderableType:
    return Padding(Text(text, style=style, no_wrap=True, overflow="ignore"), (1, 0, 1, 4))


def _line(name: str, text: str) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=9, style="bold")
    grid.add_column(overflow="fold")
    grid.add_row(Text(name), Text(text))
    return grid


def _table(title: str, *columns: str) -> Table:
    shown = Text(title, style="bold") if title else None
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=shown, title_justify="left")
    for name in columns:
        table.add_column(Text(name), overflow="fold")
    return table


def _quantities(theorem: Theorem) -> Table:
    table = _table("", "symbol", "meaning", "domain", "LaTeX")
    for one in sorted(theorem.quantities, key=lambda quantity: quantity.name):
        table.add_row(*map(Text, (one.name, one.meaning, one.domain.value, one.latex)))
    return table


def _where(claims: Sequence[Claim]) -> Table:
    """File and line of statement, claim, family, solvers and tests."""
    table = _table("Where it is", "what", "name", "file and line")
    for place in places(claims):
        table.add_row(Text(place.role), Text(place.name), Text(str(place)))
    return table


def _fair(claim: Claim, refutation: Refutation) -> RenderableType:
    """The list of what is printed, checked now, between fidelity and severity."""
    title = f"Why this is fair: {claim.name}"
    table = _table(title, printed(claim.theorem), "how the counterexample meets it", "shown by")
    for one in why_fair(claim):
        table.add_row(Text(one.text), Text(one.met), Text(one.shown))
    return Group(
        table, _line("fidelity", refutation.fidelity), _line("severity", refutation.severity)
    )


def _mutants(claim: Claim) -> Table:
    """False variants that a run must refute, and those that are known to be true."""
    title = f"Mutants of {claim.name}, over {claim.family.name}"
    table = _table(title, "mutant", "kind", "expected")
    for row in mutant_rows(claim):
        table.add_row(*map(Text, row))
    return table


def mutant_rows(claim: Claim) -> Iterator[tuple[str, str, str]]:
    """Name, kind and what is expected of each false variant, and of those known to be true."""
    for mutant in claim.mutants:
        expected = "implied by the theorem" if mutant.implied else "to be refuted"
        if reason := claim.survivors.get(mutant.name, ""):
            expected = f"true: {reason}"
        yield mutant.name, "derived", expected
    for named in claim.named_mutants:
        yield f"{named.name}: {named.relation}", "named", f"to be refuted; {named.why}"
    for name in claim.family.controls:
        yield f"without {name}", "control", "to be refuted"


def _findings(theorem: Theorem, findings: Sequence[Finding]) -> RenderableType:
    if not findings:
        return _line("findings", "none in the store; run: holdfast verify " + theorem.label)
    title = f"Last {min(_LAST, len(findings))} of {len(findings)} findings"
    columns = ("case", "part", "verdict", "left", "right", "ratio", "grade", "digest")
    table = _table(title, *columns)
    for one in list(findings)[-_LAST:]:
        sides = shorten(one.left), shorten(one.right)
        cells = (one.case, str(one.part), verdict(one.verdict), *sides, rounded(one.ratio))
        table.add_row(*map(Text, (*cells, one.grade, one.digest)))
    return table
