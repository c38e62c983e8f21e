"""Writes docs/book from `holdfast.theory.catalogue()`: a chapter a pillar, a page a theorem.

The page of ``area/name`` is ``book/area/name.html``, and lies outside of the tree of contents: each
page repeats that whole tree.
"""

import inspect
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from importlib import import_module
from pathlib import Path
from types import ModuleType

from book_graph import edges, neighbours, svg
from book_results import results
from formulas import cell, prose, titled
from sources import claims, source_page, where
from sphinx.application import Sphinx

from holdfast import theory
from holdfast.theory import Standing, Theorem
from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.report.numbers import count
from holdfast.verify.report.wording import STANDINGS, VERDICTS, printed, standing_word

INDEX = """\
# The theorem book

Every statement that holdfast ships, {count} of them with a page each, written by the build of this
documentation from the objects that the checks evaluate: the formula you read is the formula that is
checked. Statements that are false as printed are kept beside what is true in their place.

{standings}

The verdicts are those of one run of `make results`, which writes `docs/results.json` anew. Each
page has the command that gives its verdict again. Of {claims} claims {verdicts}; {trained} are
about trained networks, which that run leaves out, and {without} others have no verdict. *Not
refuted* is not *proved*: HOLDS, TIGHT and AGREES speak of the models that were tried.

```{{toctree}}
:hidden:

{chapters}
```

| chapter | statements | false | uses |
| --- | ---: | ---: | ---: |
{table}
"""
CHAPTER = """\
.. written from the docstring of {module}

{title}
{line}

{text}

How the statements rest on each other
-------------------------------------

.. raw:: html

   {legend}
   {graph}

Statements
----------

{areas}
"""
LEGEND = """\
<p class="legend">Each box is a statement and leads to its page. A solid line says that the proof
of what is right uses what is left, a dashed one that its words name it. <i class="key stands"></i>
stands <i class="key repaired"></i> repaired <i class="key open"></i> open
<i class="key false"></i> false <i class="key unexpected"></i> did not fare as its standing says
<i class="key quiet"></i> no verdict</p>
"""
FRONT = "flipping/two-actions"
"""Stands on the front page: false as printed, by a model of five states that can be drawn."""
_LABEL = re.compile(r"(?<![\w/#`-])`?([a-z][a-z0-9-]*/[a-z0-9-]+)`?(?![\w`-])")

_EMPHASIS = re.compile(r"(?<!\w)\\\*(\w[^*\n]*)\\\*(?!\w)")


def anchor(label: str) -> str:
    return "theorem-" + label.replace("/", "-")


def link(label: str) -> str:
    return f"[`{label}`](#{anchor(label)})"


@cache
def statements() -> dict[str, Theorem]:
    """Label -> statement, of the whole catalogue."""
    return {one.label: one for one in theory.catalogue()}


def linked(text: str) -> str:
    """Prose in which the labels of statements are links to their pages."""
    return _LABEL.sub(lambda m: link(m[1]) if m[1] in statements() else m[0], prose(text))


def claim_anchor(claim: Claim) -> str:
    """The place of a claim on the page of its statement."""
    return "claim-" + re.sub(r"[^a-z0-9]+", "-", claim.name)


def claim_page(claim: Claim) -> str:
    """The stable address of a claim in the documentation, made of its name."""
    return f"book/{claim.theorem.label}.html#{claim_anchor(claim)}"


def raw(text: str) -> str:
    """HTML inside of Markdown."""
    return f"````{{raw}} html\n{text.strip()}\n````"


def fairness(theorem: Theorem) -> str:
    """Why it is fair to call a statement false, or nothing."""
    refutation = theorem.refutation
    if refutation is None:
        return ""
    lines = [f"- {linked(one.text)} *{linked(one.met)}*" for one in refutation.printed]
    page = "The entry of the [errata](../../errata/index.md) has both sides, the files, and how to "
    return "\n\n".join(
        [
            f"## Why this is fair\n\n{printed(theorem).capitalize()}, and how the counterexample "
            "meets it:",
            "\n".join(lines),
            f"**Fidelity.** {linked(refutation.fidelity)}",
            f"**Severity.** {linked(refutation.severity)}",
            f"{page}challenge it." if theorem.standing is Standing.REFUTED else "",
        ]
    )


def located(label: str, up: str = "../../") -> str:
    """Links to statement, claim, family, solvers and tests, a line for each kind."""
    kinds: dict[str, list[str]] = {}
    for place in where(label):
        page = f"{up}{source_page(place.file)}.html#L-{place.line}"
        text = f'<a class="place" href="{page}"><code>{place.name}</code></a>'
        kinds.setdefault(place.role, []).append(text)
    return "\n".join(f"- {role}: {', '.join(links)}" for role, links in kinds.items())


def kind(label: str) -> str:
    """The class of a statement in a picture, which gives it its colour."""
    fared = {results().fared(claim) for claim in claims()[label]}
    if False in fared:
        return "unexpected"
    if True not in fared:
        return "quiet"
    standing = statements()[label].standing
    return "false" if standing.is_false else standing.name.lower()


def symbols(theorem: Theorem) -> str:
    """Each symbol with its meaning and its domain."""
    quantities = sorted(theorem.quantities, key=lambda quantity: quantity.name)
    rows = [
        f"| ${cell(q.latex)}$ | {linked(q.meaning)} | {prose(q.domain.value)} |" for q in quantities
    ]
    table = "\n".join(["| symbol | what it is | domain |", "| --- | --- | --- |", *rows])
    behind = [f"$$\n{q.latex}={q.program}\n$$" for q in quantities if q.program]
    return "\n\n".join([table, *(["The programs behind them:", *behind] if behind else [])])


def neighbourhood(theorem: Theorem) -> str:
    """What the statement rests on and what rests on it, in words and as a picture."""
    label = theorem.label
    used = [f"{link(b)} (by its {why})" for (a, b), why in edges().items() if a == label]
    users = [f"{link(a)} (by its {why})" for (a, b), why in edges().items() if b == label]
    drawn = svg(neighbours(label), kind, lambda other: f"../{other}.html")
    return "\n\n".join(
        [
            "## What it rests on",
            f"Uses {', '.join(used) or 'nothing else in the book'}.",
            f"Used by {', '.join(users) or 'nothing else in the book'}.",
            raw(LEGEND + drawn) if drawn else "",
        ]
    )


def section(theorem: Theorem, area: ModuleType) -> str:
    """The page of a theorem in Markdown."""
    given = [f"- *{one.name}*. {linked(one.text)}" for one in theorem.given]
    pillar, chapter = pillar_of(area)
    crumbs = (
        f"[Theorem book](../index.md) / [{chapter}](../{pillar}.rst) / "
        f"[{markdown(heading(area))}](../{page_of(area)}.md) / `{theorem.label}`"
    )
    standing = (
        f'<p><span class="tag" title="{escape(STANDINGS[theorem.standing])}">'
        f"{standing_word(theorem)}</span> "
        + " ".join(results().chip(claim) for claim in claims()[theorem.label])
        + "</p>"
    )
    parts = [
        f"---\norphan: true\n---\n\n({anchor(theorem.label)})=\n# {prose(theorem.title)}",
        crumbs,
        raw(standing),
        f"$$\n{theorem.statement_latex()}\n$$",
        symbols(theorem),
        "**Assumptions**\n\n" + "\n".join(given) if given else "No assumption beyond the setting.",
        f"**Setting.** {setting(area)}\n\nThe sets and programs of the whole pillar are in the "
        f"[chapter](../{pillar}.rst).",
        f"**Proof idea.** {linked(theorem.proof)}" if theorem.proof else "",
        f"**Remark.** {linked(theorem.remark)}" if theorem.remark else "",
        f"**Source.** {prose(str(theorem.source))} ({theorem.source.provenance.value}).",
        f"**Standing.** {standing_word(theorem).capitalize()}: {STANDINGS[theorem.standing]}",
        fairness(theorem),
        "## Verdict",
        raw("".join(results().block(one, claim_anchor(one)) for one in claims()[theorem.label])),
        neighbourhood(theorem),
        f"## Where it is\n\n{located(theorem.label)}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown(text: str) -> str:
    """What a docstring says in reStructuredText: labels are links, formulas are formulas."""
    parts = re.split(r":math:`([^`]*)`", text)
    text = "".join(f"${one}$" if k % 2 else linked(one) for k, one in enumerate(parts))
    return _EMPHASIS.sub(r"*\1*", text)


def heading(area: ModuleType) -> str:
    """The title of an area, the first line of its file of statements, in reStructuredText."""
    return (inspect.getdoc(area) or area.__name__).partition("\n")[0].rstrip(".")


def setting(area: ModuleType) -> str:
    """What its file of statements says of the setting and the notation; other files are links."""
    text = (inspect.getdoc(area) or "").split("\nMain results:")[0]
    pages = {one.__name__.rpartition(".")[2]: page_of(one) for one in theory.areas()}

    def file(name: re.Match[str]) -> str:
        return f"[{name[1]}](/book/{pages[name[1]]}.md)" if name[1] in pages else name[0]

    return re.sub(r"`(\w+)`", file, markdown(text.partition("\n")[2].strip()))


def pillar_of(area: ModuleType) -> tuple[str, str]:
    """The name of the pillar of an area, and the title of its chapter."""
    name = area.__name__.removeprefix("holdfast.theory.").partition(".")[0]
    module = import_module(f"holdfast.theory.{name}")
    return name, (inspect.getdoc(module) or name).partition("\n")[0].partition(":")[0].rstrip(".")


def page_of(area: ModuleType) -> str:
    pillar, _, stem = area.__name__.removeprefix("holdfast.theory.").partition(".")
    return f"{pillar}-{stem.replace('_', '-')}"


def area_page(area: ModuleType, theorems: Sequence[Theorem]) -> str:
    """The setting of an area and a list of its statements with their verdicts."""
    rows = "".join(
        f'<tr><td><a href="{one.label}.html">{titled(one.title)}</a> '
        f"<small>{one.label}</small></td><td>{standing_word(one)}</td>"
        f"<td>{' '.join(results().chip(claim) for claim in claims()[one.label])}</td></tr>"
        for one in theorems
    )
    table = (
        '<div class="scroll"><table class="statements"><thead><tr><th>Statement</th>'
        f"<th>Standing</th><th>Verdict</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
    pillar, chapter = pillar_of(area)
    crumbs = f"[Theorem book](index.md) / [{chapter}]({pillar}.rst)"
    parts = [f"# {markdown(heading(area))}", crumbs, setting(area), raw(table)]
    return "---\norphan: true\n---\n\n" + "\n\n".join(parts) + "\n"


def chapter(pillar: ModuleType, areas: dict[ModuleType, list[Theorem]]) -> str:
    """The page of a pillar, in reStructuredText as its docstring; labels and files become links."""
    title, _, text = (inspect.getdoc(pillar) or pillar.__name__).partition("\n")
    files = {area.__name__.rpartition(".")[2]: page_of(area) for area in areas}

    def role(literal: re.Match[str]) -> str:
        word = literal[1]
        if word in statements():
            return f":ref:`{word} <{anchor(word)}>`"
        return f":doc:`{word} <{files[word]}>`" if word in files else literal[0]

    labels = [one.label for theorems in areas.values() for one in theorems]
    listed = [
        f"* {heading(area)}: :doc:`{count(len(theorems), 'statement')} <{page_of(area)}>`"
        for area, theorems in areas.items()
    ]
    return CHAPTER.format(
        module=pillar.__name__,
        title=title.rstrip("."),
        line="=" * len(title),
        text=re.sub(r"``([^`]+)``", role, text.strip()),
        legend=LEGEND.replace("\n", " "),
        graph=svg(labels, kind, lambda label: f"{label}.html"),
        areas="\n".join(listed),
    )


def index(chapters: dict[str, dict[ModuleType, list[Theorem]]]) -> str:
    standings = Counter(one.standing for one in statements().values())
    rows = []
    for name, areas in chapters.items():
        own = [one for theorems in areas.values() for one in theorems]
        labels = {one.label for one in own}
        false = sum(one.standing.is_false for one in own)
        used = sum(user in labels for user, _ in edges())
        title = (inspect.getdoc(import_module(f"holdfast.theory.{name}")) or name).partition("\n")
        rows.append(f"| [{title[0].rstrip('.')}]({name}.rst) | {len(own)} | {false} | {used} |")
    words = {name.name.lower(): name.name.replace("_", " ") for name in VERDICTS}
    counts = results().verdicts(shipped()).most_common()
    return INDEX.format(
        count=len(statements()),
        standings="\n".join(
            f"- **{one.name.lower().replace('_', ' ')}** ({number}). {STANDINGS[one]}"
            for one, number in standings.most_common()
        ),
        claims=len(shipped()),
        verdicts=", ".join(f"{number} are {words[name]}" for name, number in counts),
        trained=sum(one.trained for one in shipped()),
        without=sum(not one.trained and results().row(one) is None for one in shipped()),
        chapters="\n".join(chapters),
        table="\n".join(rows),
    )


def pages() -> Iterator[tuple[str, str]]:
    """File name and text of the whole book."""
    chapters: dict[str, dict[ModuleType, list[Theorem]]] = {}
    for area in theory.areas():
        theorems = [one for one in vars(area).values() if isinstance(one, Theorem)]
        for theorem in theorems:
            yield f"{theorem.label}.md", section(theorem, area)
        yield f"{page_of(area)}.md", area_page(area, theorems)
        chapters.setdefault(pillar_of(area)[0], {})[area] = theorems
    for name, areas in chapters.items():
        yield f"{name}.rst", chapter(import_module(f"holdfast.theory.{name}"), areas)
    yield "index.md", index(chapters)
    (shown,) = claims()[FRONT]
    yield "front.html", results().front(shown, claim_page(shown))


def write_files(folder: Path, texts: dict[str, str]) -> None:
    """Write what has changed, and remove what is left of earlier builds."""
    folder.mkdir(exist_ok=True)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    for stale in there - set(texts):
        (folder / stale).unlink()
    for name, text in texts.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")


def write(app: Sphinx) -> None:
    write_files(Path(app.srcdir) / "book", dict(pages()))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
