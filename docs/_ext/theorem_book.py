"""Writes docs/book from `holdfast.theory.catalogue()`: a page per area, a section per theorem."""

import inspect
import re
from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path
from types import ModuleType

from sphinx.application import Sphinx

from holdfast import theory
from holdfast.theory import Theorem
from holdfast.verify.report.wording import printed

INDEX = """\
# The theorem book

Every statement that holdfast ships, written by the build of this documentation from the objects
that the checks evaluate: the formula you read is the formula that is checked.
There are {count} of them. How each one fared is in the report of a run (`holdfast verify --html`).

```{{toctree}}
:maxdepth: 2

{pages}
```
"""


def anchor(label: str) -> str:
    return "theorem-" + label.replace("/", "-")


def link(label: str) -> str:
    return f"[`{label}`](#{anchor(label)})"


def prose(text: str) -> str:
    """Plain text as Markdown: `P*`, `c_i` and `<r, rho>` are to be read as they stand."""
    pieces = re.split(r"`+([^`]+)`+", text)
    words = [re.sub(r"([*_<>\[\]$|\\])", r"\\\1", piece) for piece in pieces[::2]]
    quoted = [f"`{piece}`" for piece in pieces[1::2]]
    return "".join(piece for pair in zip_longest(words, quoted, fillvalue="") for piece in pair)


def fairness(theorem: Theorem) -> str:
    """Why it is fair to call a statement false, or nothing."""
    refutation = theorem.refutation
    if refutation is None:
        return ""
    lines = [f"- {prose(one.text)} *{prose(one.met)}*" for one in refutation.printed]
    return "\n\n".join(
        [
            f"**Why this is fair.** {printed(theorem).capitalize()}, and how the counterexample "
            "meets it:",
            "\n".join(lines),
            f"*Fidelity.* {prose(refutation.fidelity)}",
            f"*Severity.* {prose(refutation.severity)}",
        ]
    )


def section(theorem: Theorem, used_by: Iterable[str]) -> str:
    """One theorem in Markdown: statement, symbols, assumptions, proof idea, source, neighbours."""
    quantities = sorted(theorem.quantities, key=lambda quantity: quantity.name)
    symbols = [f"- ${q.latex}$: {prose(q.meaning)}." for q in quantities]
    given = [f"- *{assumption.name}*. {prose(assumption.text)}" for assumption in theorem.given]
    uses = ", ".join(map(link, theorem.uses)) or "nothing else in the book"
    parts = [
        f"({anchor(theorem.label)})=\n## {prose(theorem.title)}",
        f"`{theorem.label}`. Standing: {theorem.standing.value}.",
        f"$$\n{theorem.statement_latex()}\n$$",
        "where\n\n" + "\n".join(symbols),
        "Assumptions:\n\n" + "\n".join(given) if given else "No assumption beyond the setting.",
        f"**Proof idea.** {prose(theorem.proof)}" if theorem.proof else "",
        f"**Remark.** {prose(theorem.remark)}" if theorem.remark else "",
        fairness(theorem),
        f"**Source.** {prose(str(theorem.source))} ({theorem.source.provenance.value}).",
        f"**Uses** {uses}.",
        "**Used by** " + ", ".join(map(link, used_by)) + "." if used_by else "",
    ]
    return "\n\n".join(part for part in parts if part)


def opening(area: ModuleType) -> str:
    """The title and setting of an area, from the docstring of its file of statements."""
    text = (inspect.getdoc(area) or area.__name__).split("\nMain results:")[0]
    title, _, setting = text.partition("\n")
    return f"# {prose(title.rstrip('.'))}\n\n{prose(setting.strip())}"


def pages() -> dict[str, str]:
    """File name to Markdown of the whole book: a page for each file of statements."""
    catalogue = theory.catalogue()
    book = {}
    for area in sorted(theory.areas(), key=lambda module: module.__name__):
        sections = []
        for theorem in (one for one in vars(area).values() if isinstance(one, Theorem)):
            used_by = [other.label for other in catalogue if theorem.label in other.uses]
            sections.append(section(theorem, used_by))
        name = area.__name__.removeprefix("holdfast.theory.").replace(".", "-").replace("_", "-")
        book[f"{name}.md"] = "\n\n".join([opening(area), *sections]) + "\n"
    names = "\n".join(name.removesuffix(".md") for name in book)
    book["index.md"] = INDEX.format(count=len(catalogue), pages=names)
    return book


def write(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "book"
    folder.mkdir(exist_ok=True)
    book = pages()
    for stale in {path.name for path in folder.glob("*.md")} - set(book):
        (folder / stale).unlink()
    for name, text in book.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
