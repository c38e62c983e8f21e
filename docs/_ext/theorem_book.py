"""Writes docs/book from `holdfast.theory.catalogue()`: a chapter per pillar, a page per area.

A section per theorem links to statement, claim, family, solvers and tests, in pages of source.
"""

import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from types import ModuleType
from typing import Any

from sphinx.application import Sphinx

from holdfast import theory
from holdfast.theory import Theorem
from holdfast.verify.binding.claims import shipped
from holdfast.verify.report.places import ROOT, Place, places
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
CHAPTER = """\
.. written from the docstring of {module}

{title}
{line}

{text}

.. toctree::
   :maxdepth: 2
   :caption: Statements

{pages}
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


@cache
def where(label: str) -> tuple[Place, ...]:
    """The places of a theorem."""
    return tuple(places([claim for claim in shipped() if claim.theorem.label == label]))


def source_page(file: Path) -> str:
    """The page on which a source file is shown, relative to the root of the documentation."""
    return f"source/{file.relative_to(ROOT).as_posix()}"


def located(label: str) -> str:
    """Links to statement, claim, family, solvers and tests, a line for each kind."""
    kinds: dict[str, list[str]] = {}
    for place in where(label):
        page = f"../{source_page(place.file)}.html#L-{place.line}"
        text = f'<a class="place" href="{page}"><code>{place.name}</code></a>'
        kinds.setdefault(place.role, []).append(text)
    return "\n".join(f"- {role}: {', '.join(links)}" for role, links in kinds.items())


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
        f"**Where it is**\n\n{located(theorem.label)}",
    ]
    return "\n\n".join(part for part in parts if part)


def opening(area: ModuleType) -> str:
    """The title and setting of an area, from the docstring of its file of statements."""
    text = (inspect.getdoc(area) or area.__name__).split("\nMain results:")[0]
    title, _, setting = text.partition("\n")
    return f"# {prose(title.rstrip('.'))}\n\n{prose(setting.strip())}"


def chapter(pillar: ModuleType, names: list[str]) -> str:
    """The page of a pillar, in reStructuredText as its docstring; labels and files become links."""
    title, _, text = (inspect.getdoc(pillar) or pillar.__name__).partition("\n")
    labels = {one.label for one in theory.catalogue()}
    files = {name.partition("-")[2].replace("-", "_"): name for name in names}

    def linked(literal: re.Match[str]) -> str:
        word = literal[1]
        if word in labels:
            return f":ref:`{word} <{anchor(word)}>`"
        return f":doc:`{word} <{files[word]}>`" if word in files else literal[0]

    return CHAPTER.format(
        module=pillar.__name__,
        title=title.rstrip("."),
        line="=" * len(title),
        text=re.sub(r"``([^`]+)``", linked, text.strip()),
        pages="\n".join(f"   {name}" for name in names),
    )


def pages() -> dict[str, str]:
    """File name to text of the whole book: a chapter for each pillar, a page for each area."""
    catalogue = theory.catalogue()
    book, chapters = {}, {}
    for area in theory.areas():
        sections = []
        for theorem in (one for one in vars(area).values() if isinstance(one, Theorem)):
            used_by = [other.label for other in catalogue if theorem.label in other.uses]
            sections.append(section(theorem, used_by))
        pillar, _, stem = area.__name__.removeprefix("holdfast.theory.").partition(".")
        name = f"{pillar}-{stem.replace('_', '-')}"
        book[f"{name}.md"] = "\n\n".join([opening(area), *sections]) + "\n"
        chapters.setdefault(pillar, []).append(name)
    for pillar, names in chapters.items():
        book[f"{pillar}.rst"] = chapter(import_module(f"holdfast.theory.{pillar}"), names)
    book["index.md"] = INDEX.format(count=len(catalogue), pages="\n".join(chapters))
    return book


def source_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """A page with line numbers for each file that the book links to."""
    highlighter = getattr(app.builder, "highlighter", None)
    files = {place.file for one in theory.catalogue() for place in where(one.label)}
    for file in sorted(files) if highlighter else ():
        code = highlighter.highlight_block(
            file.read_text(encoding="utf-8"), "python", linenos="inline", lineanchors="L"
        )
        title = file.relative_to(ROOT).as_posix()
        yield source_page(file), {"title": title, "body": f"<h1>{title}</h1>{code}"}, "page.html"


def write_files(folder: Path, texts: dict[str, str]) -> None:
    """Write what has changed, and remove what is left of earlier builds."""
    folder.mkdir(exist_ok=True)
    for stale in {path.name for path in folder.iterdir()} - set(texts):
        (folder / stale).unlink()
    for name, text in texts.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def write(app: Sphinx) -> None:
    write_files(Path(app.srcdir) / "book", pages())


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write)
    app.connect("html-collect-pages", source_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
