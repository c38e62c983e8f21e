"""Writes docs/errata from the statements that are refuted as printed, each with its certificate and
a stand-alone file, and `claims.json`, the list of all claims, at the root of the documentation.
"""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from book_figures import drawn
from book_figures import sides as bars
from formulas import prose
from sphinx.application import Sphinx
from theorem_book import claim_page, link, raw, write_files

from holdfast import theory
from holdfast.theory import Standing, Theorem
from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.binding.description import value_text
from holdfast.verify.engine.fairness import brief, why_fair
from holdfast.verify.kernel import Enclosure
from holdfast.verify.report.exports.lean import lean
from holdfast.verify.report.exports.vipr import linear_programs, vipr
from holdfast.verify.report.json_report import listed
from holdfast.verify.report.standalone.files import file_name, model_text, standalone
from holdfast.verify.search.counterexample import Refuter, certify

INDEX = """\
# Errata: statements that are false as printed

{count} statements of {works} papers are false as they stand in the text that was read. For each of
them there is an exact counterexample, which a kernel without solvers has accepted, and a file that
computes both sides again in a Python without holdfast. This page is written by the build of the
documentation from the objects that the checks evaluate.

It lists what a source *prints*, and nothing else. {unprinted} further statements of the [theorem
book](../book/index.md) are false but printed nowhere, and {recalled} are false as somebody's
summary has them, whose source was not read: those are no errors of any source, and are not here.
Where a source can be read in two ways, the entry is about the reading that it names. Its fidelity
line names the text that was read, and says so where it is not known which version that is. A
statement that is not listed here was not refuted, or not examined.

## Challenge an entry

An entry is wrong if the source prints something that the counterexample does not meet, if it
prints another statement, or if a later version of the text has corrected it. A challenge is an
issue that names the label of the entry and the version of the text, and has one of these:

- **against the list**: the sentence of the source that is missing from it or misread, with page or
  equation. It enters the list, and the counterexample has to meet it or the entry goes.
- **against the statement**: the statement as the source prints it. The entry is corrected.
- **against a number**: a model. Run the entry's file, or put your own numbers into the model at its
  end: it says for each numeric assumption whether it is met, and whether the statement is refuted.
  Send the model and what the file says of it.
- **a correction by the authors**: where it is printed. The entry says so.

A challenge to a number without a model, such as "the right side looks too small", gives nothing to
compute, and is sent back with a request for the model. Every run of `holdfast verify` computes each
counterexample again, and fails where one does not meet its list or refutes nothing.

{entries}
"""
_LABEL = re.compile(r"[a-z][a-z0-9-]*/[a-z0-9-]+")
_LONGEST = 60
"""Lines of a model that are shown; its file has them all."""
_SHORT = 12
"""Characters of an exact number in a table, so that it fits beside two columns of words."""
HEAD = "| statement | printed as | left side | right side |\n| --- | --- | --- | --- |"


def refuted() -> list[Claim]:
    """The claims about statements that are refuted as printed, those on networks left out."""
    return [
        claim
        for claim in shipped()
        if claim.theorem.standing is Standing.REFUTED and not claim.trained
    ]


def in_its_place(theorem: Theorem) -> str:
    """Links to what is true, of the statements that the remark and the refutation name."""
    known = {one.label: one for one in theory.catalogue()}
    assert theorem.refutation is not None
    texts = [theorem.remark, theorem.refutation.severity]
    texts += [one.met for one in theorem.refutation.printed]
    named = dict.fromkeys(_LABEL.findall(" ".join(texts)))
    found = [known[label] for label in named if label in known]
    lines = [
        f"- {link(one.label)}, {one.standing.name.lower()}: {prose(one.title)}."
        for one in found
        if one.standing in (Standing.REPAIRED, Standing.STANDS)
    ]
    return "\n".join(lines) or "None is stated in the book."


def side_text(side: Enclosure) -> str:
    """The number, or its first digits where it is enclosed."""
    return brief(side.lo) if side.lo == side.hi else f"about {float(side.lo):.10g}"


def first_digits(side: Enclosure) -> str:
    """A side for a column: exact where that is short."""
    exact = value_text(side.lo)
    is_short = side.lo == side.hi and len(exact) <= _SHORT
    return exact if is_short else f"about {float(side.lo):.6g}"


def erratum(label: str) -> str:
    """The anchor of an entry."""
    return "erratum-" + label.replace("/", "-")


def entry(claim: Claim) -> tuple[str, str, dict[str, str]]:
    """One row of the overview, one section, and the files that it links to."""
    theorem, refutation = claim.theorem, claim.theorem.refutation
    assert refutation is not None
    seen = Refuter(claim).refute(claim.family.landmark(claim.witness))
    assert seen is not None
    certified = certify(claim, seen.case, seen.part, seen.values)
    assert certified.report.accepted, claim.name
    file = file_name(claim)
    sides = [side_text(side) for side in (seen.outcome.left, seen.outcome.right)]
    numbers = [f"left side: {sides[0]}", f"right side: {sides[1]}", "where"] + [
        f"  {one.name} = {brief(seen.values[one.name])}, {one.meaning}"
        for one in sorted(seen.relation.quantities, key=lambda one: one.name)
    ]
    model = model_text(claim).splitlines()
    if len(model) > _LONGEST:
        model = [*model[:_LONGEST], f"... and {len(model) - _LONGEST} more lines, in {file}"]
    section = [
        f"({erratum(theorem.label)})=\n### {prose(theorem.title)}",
        f"{link(theorem.label)}: {prose(str(theorem.source))}.",
        f"$$\n{theorem.statement_latex()}\n$$",
        f"*Fidelity.* {prose(refutation.fidelity)}",
        f"*Severity.* {prose(refutation.severity)}",
        f"*Remark.* {prose(theorem.remark)}" if theorem.remark else "",
        _printed(claim),
        "**The counterexample.** Both sides, and what they are made of:",
        "```text\n" + "\n".join([str(seen.relation), *numbers]) + "\n```",
        "on this model, drawn and then as data:",
        raw(
            bars(str(seen.outcome.left), str(seen.outcome.right))
            + drawn(claim, seen.case, f"{erratum(theorem.label)}-model")
        ),
        "```python\n" + "\n".join(model) + "\n```",
        f"**True in its place**\n\n{in_its_place(theorem)}",
        f"**Check it again.** {{download}}`{file}` needs Python alone, "
        f"{{download}}`{certified.name}` the kernel, in a fresh process:",
        f"```console\n$ python {file}\n$ holdfast check {certified.name}\n"
        f"$ holdfast verify {claim.name} --budget 20\n```",
        f"**Challenge it.** Put your numbers into the last lines of `{file}` and run it, then see "
        "[what a challenge needs](#challenge-an-entry).",
    ]
    arithmetic = {Path(file).with_suffix(".lean").name: lean(claim)}
    programs = linear_programs(certified.document, Path(certified.name).stem)
    arithmetic |= {f"{name}.vipr": vipr(one) for name, one in programs}
    section.append(
        "For other checkers (the [guide](../how-to/certificates.md) says of what): "
        + ", ".join(f"{{download}}`{name}`" for name in arithmetic)
    )
    short = " | ".join(map(first_digits, (seen.outcome.left, seen.outcome.right)))
    title = f"[{prose(theorem.title)}](#{erratum(theorem.label)})"
    row = f"| {title} | {prose(theorem.source.place)} | {short} |"
    files = {file: standalone(claim), certified.name: json.dumps(certified.document, indent=1)}
    files |= arithmetic
    return row, "\n\n".join(part for part in section if part), files


def _printed(claim: Claim) -> str:
    """The table of what the source prints and how the counterexample meets it."""
    met = (
        f"| {prose(one.text)} | {prose(one.met)} | {f'`{one.shown}`' if one.shown else '—'} |"
        for one in why_fair(claim)
    )
    head = "| what is printed | how the counterexample meets it | shown by |"
    return "\n".join([head, "| --- | --- | --- |", *met])


def pages() -> dict[str, str]:
    """File name to text: the page, and what can be downloaded from it."""
    claims = refuted()
    found = [entry(claim) for claim in claims]
    works: dict[str, tuple[list[str], list[str]]] = {}
    for claim, (row, section, _) in zip(claims, found, strict=True):
        rows, sections = works.setdefault(claim.theorem.source.work, ([HEAD], []))
        rows.append(row)
        sections.append(section)
    entries = [
        "\n\n".join([f"## {prose(work)}", "\n".join(rows), *sections])
        for work, (rows, sections) in works.items()
    ]
    standings = Counter(theorem.standing for theorem in theory.catalogue())
    files = {name: text for _, _, own in found for name, text in own.items()}
    index = INDEX.format(
        count=len(claims),
        works=len(works),
        unprinted=standings[Standing.FALSE_UNPRINTED],
        recalled=standings[Standing.FALSE_AS_RECALLED],
        entries="\n\n".join(entries),
    )
    return {"index.md": index, **files}


def write(app: Sphinx) -> None:
    write_files(Path(app.srcdir) / "errata", pages())


def write_claims(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        claims = shipped()
        rows = [
            row | {"page": claim_page(one)} for row, one in zip(listed(claims), claims, strict=True)
        ]
        text = json.dumps(rows, indent=1) + "\n"
        (Path(app.outdir) / "claims.json").write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write)
    app.connect("build-finished", write_claims)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
