"""Models drawn: decision processes as graphs, and all other exact data as shaded tables."""

from collections.abc import Iterator
from functools import cache
from html import escape
from inspect import signature
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import jinja2

from holdfast.solvers import CMDP
from holdfast.verify.binding.claims import Claim
from holdfast.verify.binding.family import Case
from holdfast.verify.kernel import parse_rational
from holdfast.verify.report import cases, html, views
from holdfast.verify.report.numbers import brief, rough, shorten

_LARGEST = 240
"""Numbers of a part of a case that are shown; a page of more is not looked at."""
_WIDEST = 12
"""Numbers in a row, about what fits beside its name on a narrow screen."""


@cache
def environment() -> jinja2.Environment:
    """The templates of the report and those of the book, with the words of the report."""
    found = html.environment()
    here = jinja2.FileSystemLoader(Path(__file__).parents[1] / "_templates" / "book")
    assert found.loader is not None
    found.loader = jinja2.ChoiceLoader([here, found.loader])
    return found


def drawn(claim: Claim, case: Case, anchor: str) -> str:
    """The case of a claim as HTML: a graph for each decision process, tables for the rest."""
    template = environment().get_template("model.html.jinja")
    html = template.render(models=tuple(views.models(tuple(_flat(case)), anchor)))
    names = chain(signature(claim.evaluate).parameters, repeat(""))  # some take *arguments
    for name, argument in zip(names, case, strict=False):
        parts = [_without(part) for part in cases.others(tuple(_flat((argument,))))]
        for number, part in enumerate(parts):
            own = name if len(parts) == 1 else f"{name} {number}"
            html += "".join(_tables("" if isinstance(part, dict) else own, part))
    return html


def _flat(case: Any) -> Iterator[Any]:
    """The parts of a case, those inside of tuples and of problems among them."""
    for part in case:
        if isinstance(part, tuple) and not hasattr(part, "_fields"):
            yield from _flat(part)
            continue
        yield part
        inner = getattr(getattr(part, "problem", None), "model", None)
        if isinstance(inner, CMDP):
            yield inner


def _without(thing: Any) -> Any:
    """Plain data without the decision processes in it, which are drawn."""
    if not isinstance(thing, dict):
        return thing
    return {
        name: _without(value)
        for name, value in thing.items()
        if not (isinstance(value, dict) and value.get("kind") == "cmdp")
    }


def _tables(name: str, thing: Any) -> Iterator[str]:
    """One element for each scalar, vector and matrix of plain data."""
    if isinstance(thing, dict):
        yield from (
            text for key, value in thing.items() for text in _tables(f"{name} {key}", value)
        )
    elif isinstance(thing, list) and thing and all(isinstance(one, list | dict) for one in thing):
        if all(isinstance(one, list) and _is_vector(one) for one in thing):
            yield _table(name, thing)
        else:
            for number, one in enumerate(thing):
                yield from _tables(f"{name} {number}", one)
    elif isinstance(thing, list) and thing:
        yield _table(name, [thing])
    elif thing not in (None, [], ""):
        label = f"<b>{_words(name)}</b> " if name else ""
        yield f'<p class="scalar">{label}<code>{escape(shorten(str(thing), 40))}</code></p>'


def _is_vector(thing: list[Any]) -> bool:
    return not any(isinstance(one, list | dict) for one in thing)


def _words(name: str) -> str:
    return escape(name.strip().replace("_", " "))


def _table(name: str, rows: list[list[Any]]) -> str:
    """Numbers in cells, each shaded by its size beside the largest."""
    caption = f"<caption>{_words(name)}</caption>" if name.strip() else ""
    if sum(map(len, rows)) > _LARGEST:
        size = " by ".join(map(str, (len(rows), len(rows[0]))))
        return f'<p class="scalar"><b>{_words(name)}</b> {size} numbers, too many to draw</p>'
    largest = max((abs(_number(one)) for row in rows for one in row), default=0.0) or 1.0
    lines = [row[k : k + _WIDEST] for row in rows for k in range(0, len(row), _WIDEST)]
    body = "".join(
        "<tr>" + "".join(_cell(one, largest) for one in line) + "</tr>" for line in lines
    )
    return f'<div class="scroll"><table class="cells">{caption}{body}</table></div>'


def _cell(one: Any, largest: float) -> str:
    share = round(100 * abs(_number(one)) / largest)
    kind = "below" if _number(one) < 0 else "above"
    return f'<td class="{kind}" style="--share:{share}%">{escape(brief(str(one)))}</td>'


def sides(left: str, right: str) -> str:
    """The two sides of a relation as bars, with the numbers; an enclosure by its lower end."""
    largest = max(abs(_number(left)), abs(_number(right))) or 1.0
    bars = "".join(
        f"<dt>{name} side</dt><dd>{_bar(text, largest)} <code>{escape(rough(text))}</code></dd>"
        for name, text in (("left", left), ("right", right))
    )
    return f'<dl class="sides">{bars}</dl>'


def _bar(text: str, largest: float) -> str:
    value = _number(text)
    kind = "below" if value < 0 else "above"
    return f'<i class="{kind}" style="--share:{100 * abs(value) / largest:.1f}%"></i>'


def _number(one: Any) -> float:
    try:
        return float(parse_rational(str(one).partition("..")[0]))
    except (ValueError, OverflowError):
        return 0.0
