"""What the HTML page shows, as plain records; the templates only lay it out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from holdfast.solvers import CMDP

from ..binding.family import Case
from ..campaign.summary import ClaimSummary, RunSummary
from ..engine.finding import Counterexample, Finding
from ..kernel import format_rational
from . import cases, graphs, wording
from .mathml import mathml
from .numbers import count, rough, shorten
from .plots import Plot, slack_histogram

_LONGEST = 4000
"""Characters of a part of a case that the page shows, about one screen; the certificate has all."""


@dataclass(frozen=True, slots=True)
class Model:
    """A constrained MDP of a counterexample: facts in words, all pairs, and a picture if small."""

    facts: str
    rows: tuple[graphs.Row, ...]
    costs: tuple[str, ...]
    policies: tuple[tuple[str, ...], ...]
    picture: graphs.Picture | None
    name: str


@dataclass(frozen=True, slots=True)
class Refutation:
    """A violation: where, which part, both sides, the values, and the case behind it."""

    finding: Finding
    statement: str
    sign: str
    values: tuple[tuple[str, str, str], ...]
    kept: Counterexample | None
    models: tuple[Model, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A claim on drawn models."""

    summary: ClaimSummary
    anchor: str
    statement: str
    symbols: tuple[tuple[str, str, str, str], ...]
    plot: Plot
    changes: tuple[int | None, ...]
    fates: tuple[wording.MutantFate, ...]
    refutation: Refutation | None
    uses: tuple[tuple[str, str], ...]
    worlds: tuple[ClaimSummary, ...]


@dataclass(frozen=True, slots=True)
class Area:
    """The claims about one area, in order."""

    name: str
    anchor: str
    sections: tuple[Section, ...]


def areas(summary: RunSummary) -> tuple[Area, ...]:
    """The claims of the run by area; a claim seen only on worlds has a section too."""
    ordered = _one_each(summary.claims)
    anchors = _anchors([one.claim.name for one in ordered])
    by_label: dict[str, str] = {}
    for one in ordered:
        by_label.setdefault(one.claim.theorem.label, anchors[one.claim.name])
    found: list[Area] = []
    names = list(dict.fromkeys(_area(one) for one in ordered))
    grouped = groupby(sorted(ordered, key=lambda one: names.index(_area(one))), key=_area)
    for number, (name, members) in enumerate(grouped):
        sections = tuple(_section(summary, one, anchors, by_label) for one in members)
        found.append(Area(name, f"area-{number}", sections))
    return tuple(found)


def _one_each(claims: Sequence[ClaimSummary]) -> list[ClaimSummary]:
    """Each claim once, on drawn models where it was examined on some."""
    shown = {one.claim.name: one for one in reversed(claims)}
    shown |= {one.claim.name: one for one in claims if not one.world}
    return [shown[name] for name in dict.fromkeys(one.claim.name for one in claims)]


def _area(one: ClaimSummary) -> str:
    return one.claim.theorem.label.partition("/")[0]


def _anchors(names: Iterable[str]) -> dict[str, str]:
    """Name -> anchor, unique even where names differ in punctuation only."""
    found: dict[str, str] = {}
    for name in names:
        base = anchor = "claim-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        while anchor in found.values():
            anchor = f"{base}-{len(found)}"
        found[name] = anchor
    return found


def _section(
    summary: RunSummary, one: ClaimSummary, anchors: Mapping[str, str], labels: Mapping[str, str]
) -> Section:
    theorem, anchor = one.claim.theorem, anchors[one.claim.name]
    quantities = sorted(theorem.quantities, key=lambda quantity: quantity.name)
    return Section(
        summary=one,
        anchor=anchor,
        statement=mathml(theorem.statement_latex(), display=True),
        symbols=tuple((mathml(q.latex), q.name, q.meaning, q.domain.value) for q in quantities),
        plot=slack_histogram(one.slacks),
        changes=wording.changes(one),
        fates=() if one.world else wording.fates(one),
        refutation=_refutation(summary, one, anchor),
        uses=tuple((label, labels.get(label, "")) for label in theorem.uses),
        worlds=tuple(o for o in summary.claims if o.world and o.claim.name == one.claim.name),
    )


def _refutation(summary: RunSummary, one: ClaimSummary, anchor: str) -> Refutation | None:
    if not one.violations:
        return None
    kept = summary.counterexample(one)
    finding = kept.finding if kept else one.violations[0]
    part = one.claim.theorem.parts[finding.part]
    typeset = {quantity.name: mathml(quantity.latex) for quantity in part.quantities}
    case = kept.case if kept else ()
    return Refutation(
        finding=finding,
        statement=mathml(part.to_latex()),
        sign=wording.sign(part),
        values=tuple(
            (typeset.get(name, ""), name, finding.values[name]) for name in sorted(finding.values)
        ),
        kept=kept,
        models=tuple(models(case, anchor)),
        others=tuple(map(_json, cases.others(case))),
    )


def models(case: Case, anchor: str) -> Iterator[Model]:
    """The constrained MDPs of a case as they are shown, each named after the anchor."""
    policies = cases.policies(case)
    for number, model in enumerate(cases.models(case)):
        yield _model(model, policies, f"{anchor}-model-{number}")


def _model(model: CMDP, policies: Sequence[tuple[str, ...]], name: str) -> Model:
    rows = graphs.rows(model)
    facts = [
        count(model.n_states, "state"),
        count(len(rows), "state-action pair"),
        f"discount {format_rational(model.discount)}",
    ]
    if model.budgets:
        facts.append("budgets " + ", ".join(shorten(format_rational(b)) for b in model.budgets))
    if model.notes:
        facts.append("; ".join(model.notes))
    costs = tuple(f"cost {name}".rstrip() for name in graphs.cost_names(model.n_constraints))
    fitting = tuple(policy for policy in policies if len(policy) == len(rows))
    return Model(", ".join(facts), rows, costs, fitting, graphs.picture(model), name)


def _json(thing: Any) -> str:
    text = json.dumps(thing, ensure_ascii=False) if not isinstance(thing, str) else thing
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"


def headline_numbers(summary: RunSummary) -> list[tuple[str, str]]:
    """The figures at the top of the page, each with what it counts."""
    drawn, worlds = summary.drawn, summary.worlds
    expected = sum(one.as_expected for one in summary.claims)
    dead, wanted = wording.all_kills(drawn)
    models, telling = sum(one.models for one in drawn), sum(one.telling for one in drawn)
    return [
        (f"{expected} of {len(summary.claims)}", "checks as expected"),
        (f"{telling:,} of {models:,}", "models telling"),
        (f"{dead:,} of {wanted:,}", "false variants refuted"),
        (f"{sum(bool(w.certified) for w in worlds)} of {len(worlds)}", "real models certified"),
    ]


def numbers(one: ClaimSummary) -> tuple[str, str, str] | None:
    """Left side, sign and right side, as decimals, where the bound is tightest or false."""
    finding = one.foremost
    parts = one.claim.theorem.parts
    if finding is None or not finding.left or finding.part >= len(parts):
        return None
    return rough(finding.left), wording.sign(parts[finding.part]), rough(finding.right)
