"""Optimal values that the kernel has confirmed: solve, write the certificate, have it checked."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.solvers import CMDP, WORLDS, Policy, Status, enclose, solve

from .kernel import check, format_rational
from .report.numbers import brief, decimal
from .report.wording import count
from .summary import WorldSummary


@dataclass(frozen=True, slots=True)
class Optimum:
    """A certified answer.

    value: exact rational as text, or ``lo..hi``; relaxation: least uniform increase of the budgets
    if infeasible; document: the certificate; accepted: whether the kernel accepts it; verdict: in
    words; remarks: lines for people.
    """

    value: str
    multipliers: tuple[str, ...]
    policy: Policy | None
    relaxation: str | None
    document: Mapping[str, Any]
    accepted: bool
    verdict: str
    remarks: tuple[str, ...]


def certified_optimum(model: CMDP, method: str = "exact") -> Optimum:
    """The optimum of a constrained model, ``exact`` or as a rigorous ``enclosure``."""
    return _enclosed(model) if method == "enclosure" else _exact(model)


def _exact(model: CMDP) -> Optimum:
    best = solve(model)
    accepted, verdict = _checked(best.certificate)
    feasible = best.status is Status.OPTIMAL
    remarks = [
        count(best.n_randomisations, "randomisation") + (", unique optimum" if best.unique else "")
    ]
    return Optimum(
        value=format_rational(best.value) if best.value is not None else "",
        multipliers=tuple(map(format_rational, best.multipliers)),
        policy=best.policy,
        relaxation=None if best.relaxation is None else format_rational(best.relaxation),
        document=best.certificate,
        accepted=accepted,
        verdict=verdict,
        remarks=tuple(remarks) if feasible else (),
    )


def _enclosed(model: CMDP) -> Optimum:
    found = enclose(model)
    accepted, verdict = _checked(found.certificate)
    low, high = found.lower, found.upper
    known = None if low is None or high is None else (low, high)
    return Optimum(
        value="..".join(map(format_rational, known or ())),
        multipliers=tuple(map(format_rational, found.multipliers)),
        policy=None,
        relaxation=None if found.relaxation is None else format_rational(found.relaxation),
        document=found.certificate,
        accepted=accepted,
        verdict=verdict,
        remarks=(f"enclosure of width {float(known[1] - known[0]):.3g}",) if known else (),
    )


def _checked(document: Mapping[str, Any]) -> tuple[bool, str]:
    report = check(document)
    if report.accepted:
        return True, "accepted by the kernel"
    last = report.steps[-1]
    return False, f"REJECTED by the kernel at step {last.number} ({last.name}): {last.reason}"


def world_summary(name: str, model: CMDP, method: str = "exact") -> tuple[WorldSummary, Optimum]:
    """The row of the report for a world, and the certified optimum behind it."""
    start = time.perf_counter()
    found = certified_optimum(model, method)
    details = {
        "multipliers": ", ".join(map(brief, found.multipliers)) or "none",
        "budgets": ", ".join(map(str, model.budgets)) or "none",
        "discount": str(model.discount),
        "optimum": "; ".join(found.remarks) or "infeasible",
    }
    world = WORLDS.get(name)
    summary = WorldSummary(
        name=name,
        title=world.title if world else name,
        states=model.n_states,
        choices=model.n_choices,
        value=found.value or f"infeasible by {found.relaxation}",
        decimal=decimal(found.value) if found.value else "",
        certified=str(found.document["kind"]) if found.accepted else "",
        seconds=time.perf_counter() - start,
        details=details,
    )
    return summary, found
