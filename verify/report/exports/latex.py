"""A claim after a run, as LaTeX to be pasted into an appendix: what was claimed, and what was seen.

Every sentence is the one of the terminal, so that a paper does not say more than the run showed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import wrap
from typing import Any

from matplotlib.figure import Figure

from holdfast.theory import Theorem

from ...binding.claims import Claim
from ...campaign.summary import ClaimSummary
from ...engine.finding import Counterexample
from .. import pictures, wording
from ..numbers import brief

CAUTION = (
    "HOLDS, TIGHT and AGREES mean: not refuted on the models tried, at the grade named. They are "
    "no proof, and say nothing certain about other models."
)
_LATIN = 0x250
"""Characters below are letters that every LaTeX of today reads; others are written by number."""
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    **{character: "\\" + character for character in "{}$&#%_"},
}
_VERBATIM = 76
"""Characters of a line of the small type of a verbatim block, which LaTeX does not break."""
_LONGEST = 12
"""Characters of an exact number in a line of text; the certificate has longer ones."""


def escaped(text: str) -> str:
    """The text for LaTeX, on one line; what is not Latin or not printable as its number."""
    return "".join(_SPECIAL.get(one, one) for one in _readable(" ".join(text.split())))


def _readable(text: str) -> str:
    """As `escaped`, for a verbatim block."""
    return "".join(
        one if one.isprintable() and ord(one) < _LATIN else f"[U+{ord(one):04X}]" for one in text
    )


def latex(one: ClaimSummary, command: str, found: Counterexample | None, figure: str = "") -> str:
    """The text of the file.

    command: runs it again; found: the counterexample, where there is one; figure: name of the file
    with the histogram, where it was drawn.
    """
    theorem = one.claim.theorem
    killed, mutants = wording.kills(one)
    blocks = [
        "% needs: \\usepackage{amsmath,amssymb,graphicx}\\usepackage[T1]{fontenc}",
        f"\\subsection*{{{escaped(theorem.title)}}}",
        f"\\textbf{{Statement}} ({_code(theorem.label)}; {escaped(str(theorem.source))}; "
        f"{escaped(theorem.source.provenance.value)}).",
        f"\\[\n{theorem.statement_latex()}\n\\]\nwhere",
        _items(f"${q.latex}$: {escaped(q.meaning)}" for q in _quantities(theorem)),
        "\\textbf{Assumptions.}",
        _items(escaped(given.text) for given in theorem.given) or "None beyond the setting.",
        *_printed(one.claim),
        f"\\textbf{{Standing.}} {escaped(wording.standing_word(theorem).capitalize())}."
        + (f" {escaped(theorem.remark)}" if theorem.remark else ""),
        f"\\textbf{{Verdict.}} {escaped(wording.heading(one))}: {escaped(wording.outcome(one))}. "
        f"Power: {escaped(wording.power(one))}. {CAUTION}",
        f"\\textbf{{Mutants.}} {killed} of {mutants} false variants of the statement were refuted "
        f"on the same models.{_survivors(one)}",
        f"\\textbf{{To see it again:}} {_code(command)}",
        *_counterexample(found),
        *_figure(figure),
    ]
    return "\n\n".join(blocks) + "\n"


def histogram(one: ClaimSummary, path: str | Path) -> bool:
    """Draw the slack of all findings; False, and no file, where there is none that differs."""
    if len(set(one.slacks)) < 2:
        return False
    with pictures.styled():
        figure = Figure(figsize=(4.5, 2.2), layout="constrained")
        axes = figure.subplots()
        axes.hist(one.slacks, bins=24)
        axes.set(xlabel="larger side minus smaller side", ylabel="findings")
        pictures.write(figure, path)
    return True


def _quantities(theorem: Theorem) -> list[Any]:
    return sorted(theorem.quantities, key=lambda one: one.name)


def _items(texts: Iterable[str]) -> str:
    rows = [f"  \\item {text}" for text in texts]
    return "\n".join(["\\begin{itemize}", *rows, "\\end{itemize}"]) if rows else ""


def _code(text: str) -> str:
    return f"\\texttt{{{escaped(text)}}}"


def _printed(claim: Claim) -> Iterator[str]:
    """Of a false statement: what its source prints and how the counterexample meets it."""
    refutation = claim.theorem.refutation
    if refutation is None:
        return
    listed = wording.printed(claim.theorem).capitalize()
    rows = (f"{escaped(two.text)} \\emph{{{escaped(two.met)}}}" for two in refutation.printed)
    yield f"\\textbf{{{listed},}} and how the counterexample meets it.\n\n{_items(rows)}"
    yield f"\\textbf{{Fidelity.}} {escaped(refutation.fidelity)}"
    yield f"\\textbf{{Severity.}} {escaped(refutation.severity)}"


def _survivors(one: ClaimSummary) -> str:
    if not one.unnoticed:
        return ""
    named = "; ".join(map(_code, one.unnoticed))
    return f" These were not, so the check would not have noticed them: {named}."


def _counterexample(found: Counterexample | None) -> Iterator[str]:
    if found is None:
        return
    finding = found.finding
    size = (
        "Smaller cases were looked for." if found.shrunk else "Smaller cases were not looked for."
    )
    yield f"\\textbf{{Counterexample.}} {size} {_certified(found)}"
    sides = [f"left side: {_number(finding.left)}", f"right side: {_number(finding.right)}"]
    values = [f"{_code(name)}: {_number(value)}" for name, value in sorted(finding.values.items())]
    yield _items([*sides, *values])
    lines = [
        piece.replace("\\end{", "\\ end{")
        for line in found.text.splitlines()
        for piece in wrap(_readable(line), _VERBATIM, subsequent_indent="    ") or [""]
    ]
    yield "\n".join(["{\\footnotesize", "\\begin{verbatim}", *lines, "\\end{verbatim}", "}"])


def _certified(found: Counterexample) -> str:
    if not found.accepted:
        return "Its certificate was rejected by the kernel."
    if found.certificate is None:
        return "The kernel accepts its certificate, which was not written."
    return f"Its certificate, which the kernel accepts, is {_code(found.certificate.name)}."


def _number(text: str) -> str:
    return escaped(brief(text, _LONGEST))


def _figure(name: str) -> Iterator[str]:
    if name:
        yield "\n".join(
            [
                "\\begin{figure}[h]",
                "  \\centering",
                f"  \\includegraphics{{{name}}}",
                "  \\caption{Slack of the statement in each finding of the run: the larger side "
                "minus the smaller, below 0 where it is false.}",
                "\\end{figure}",
            ]
        )
