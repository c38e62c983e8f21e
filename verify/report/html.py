"""The run as one HTML page that needs nothing else: no network, no script, no font file.

Statements are MathML, plots and graphs are inline SVG, colours follow the reader's scheme.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.solvers.whole_files import write_text

from . import numbers, views, wording
from .tables import by_world, size
from .visible import visible

if TYPE_CHECKING:
    import jinja2

    from ..campaign.summary import RunSummary


def write(summary: RunSummary, directory: Path) -> Path:
    """Write ``index.html`` into `directory`, which is made where missing; returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "index.html"
    return write_text(path, render(summary))


def render(summary: RunSummary) -> str:
    """The page as text."""
    page = environment().get_template("index.html.jinja")
    text = page.render(
        run=summary,
        areas=views.areas(summary),
        worlds=summary.worlds,
        by_world=by_world(one for one in summary.claims if one.world),
        tiles=views.headline_numbers(summary),
    )
    return visible(text)


def environment() -> jinja2.Environment:
    """Of the templates.  Escapes everything; what is markup already says so in the template."""
    import jinja2

    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        shorten=numbers.shorten,
        decimal=numbers.decimal,
        rounded=numbers.rounded,
        duration=numbers.duration,
        count=numbers.count,
    )
    environment.globals.update(
        wording=wording,
        outcome=wording.outcome,
        tone=wording.tone,
        grade=wording.grade,
        standing=wording.standing,
        verdict=wording.verdict,
        heading=wording.heading,
        models=wording.models,
        power=wording.power,
        kills=wording.kills,
        size=size,
        numbers=views.numbers,
    )
    return environment
