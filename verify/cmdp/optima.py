"""Optimal values that the kernel has confirmed: solve, write the certificate, have it checked."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from holdfast.solvers import (
    CMDP,
    WORLDS,
    EnclosedSolution,
    Limits,
    ModelError,
    Policy,
    Solution,
    Status,
    enclose,
    solve,
)
from holdfast.solvers.cmdp.scale.enclosure import BEFORE_BOUNDS
from holdfast.solvers.cmdp.scale.solution import Component

from ..campaign.worlds import WorldSummary
from ..kernel import Enclosure, format_rational
from ..report.numbers import brief, count, decimal
from ..terminal.certificates import checked

if TYPE_CHECKING:
    from holdfast.solvers.cmdp.scale.lagrangian import Progress


@dataclass(frozen=True, slots=True)
class Optimum:
    """A certified answer.

    value: exact rational as text, or ``lo..hi``; relaxation: least uniform increase of the budgets
    if infeasible; document: the certificate, if one was made; accepted: whether the kernel accepts
    it; verdict: in words; check_option: with which ``check`` says the same; remarks: lines for
    people; components: of an enclosure, the deterministic policies of which one is drawn for each
    episode.
    """

    status: Status
    value: str
    multipliers: tuple[str, ...]
    policy: Policy | None
    relaxation: str | None
    document: Mapping[str, Any] | None
    accepted: bool
    verdict: str
    check_option: str
    remarks: tuple[str, ...]
    components: tuple[Component, ...] = ()

    @property
    def interrupted(self) -> bool:
        """By Ctrl-C, so that the value is what was known by then."""
        return self.status is Status.INTERRUPTED

    @property
    def undecided(self) -> bool:
        """Within the limits of the exact solver, so that the value is what was known by then."""
        return self.status is Status.UNDECIDED

    @property
    def certified(self) -> str:
        """The kind of the certificate that the kernel accepts; empty without one."""
        return str(self.document["kind"]) if self.document and self.accepted else ""


METHODS = ("auto", "exact", "enclosure")
#: Models of at most this many states are solved exactly unless asked otherwise.
EXACT_BY_DEFAULT = 1_500
#: Models of more states than this are not solved exactly: it would take hours.
EXACT_AT_MOST = 5_000
#: Models of at most this many transitions get a certificate unless asked otherwise.
CERTIFIED_BY_DEFAULT = 200_000


def certified_optimum(
    model: CMDP,
    method: str = "auto",
    *,
    width: Fraction | None = None,
    certify: bool | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> Optimum:
    """The optimum of a constrained model, ``exact`` or as a rigorous ``enclosure``.

    Args:
        width: how far the ends of an enclosure may be apart; by default as in `enclose`.
        certify: whether to make a certificate; None: if the model is not large.
        progress: of an enclosure, as `enclose` calls it.
        limits: of the exact solution; by default ``BEFORE_BOUNDS`` where auto chose it, which goes
            on to an enclosure where they do not suffice, and those of `solve` otherwise.

    Raises ModelError when the model is too large for the exact optimum, or is enclosed at once
    although limits are given.
    """
    if method == "exact":
        _check_size(model)
        return _exact(model, limits or Limits())
    tried: tuple[str, ...] = ()
    if method == "auto" and model.n_states <= EXACT_BY_DEFAULT:
        found = _exact(model, limits or BEFORE_BOUNDS)
        if not found.undecided:
            return found
        tried = tuple(line.replace("method     ", "exact      ") for line in found.remarks)
    elif limits is not None:
        raise ModelError(
            f"a model of {model.n_states} states is enclosed at once, without the exact solution "
            "that was to be limited; ask for the method exact"
        )
    found = _enclosed(model, width, certify, progress)
    return replace(found, remarks=tried + found.remarks)


def _check_size(model: CMDP) -> None:
    if model.n_states > EXACT_AT_MOST:
        raise ModelError(
            f"the model has {model.n_states} states; the exact optimum is found for at most "
            f"{EXACT_AT_MOST}. The method enclosure gives rigorous bounds"
        )


def _exact(model: CMDP, limits: Limits) -> Optimum:
    best = solve(model, limits)
    remarks = [f"method      {best.statistics['method']}"]
    if best.status is Status.EXACT:
        unique = ", unique optimum" if best.unique else ""
        remarks.insert(0, count(best.n_randomisations, "randomisation") + unique)
    document = None if best.status is Status.UNDECIDED else best.certificate()
    return _answer(best, remarks, document, best.policy)


def _enclosed(
    model: CMDP, width: Fraction | None, certify: bool | None, progress: Progress | None
) -> Optimum:
    if certify is None:
        certify = len(model.successors) <= CERTIFIED_BY_DEFAULT
    found = enclose(model, width=width, method="scale", progress=progress)
    remarks = [f"method      {found.statistics['method']}"]
    if found.width is not None:
        remarks.append(f"width       {float(found.width):.3g}")
    remarks.append(f"stopped     {found.statistics['stopped']}")
    proved = found.status is Status.INFEASIBLE or found.width is not None
    document, one = found.certificate() if certify and proved else None, found.components
    policy = Policy.of_choices(model, one[0].choices.tolist()) if len(one) == 1 else None
    return _answer(found, remarks, document, policy)


def _answer(
    found: Solution | EnclosedSolution,
    remarks: list[str],
    document: Mapping[str, Any] | None,
    policy: Policy | None = None,
) -> Optimum:
    infeasible = found.status is Status.INFEASIBLE
    accepted, verdict, option = (False, "none", "") if document is None else _checked(document)
    return Optimum(
        status=found.status,
        value="" if infeasible else _ends(found.lower, found.upper),
        multipliers=tuple(map(format_rational, found.multipliers)),
        policy=policy,
        relaxation=None if found.relaxation is None else format_rational(found.relaxation),
        document=document,
        accepted=accepted,
        verdict=verdict,
        check_option=option,
        remarks=tuple(remarks),
        components=found.components if isinstance(found, EnclosedSolution) else (),
    )


def _ends(low: Fraction | None, high: Fraction | None) -> str:
    if low is not None and high is not None:
        return str(Enclosure(low, high))
    if low is not None:
        return f"at least {format_rational(low)}"
    return "nothing known yet" if high is None else f"at most {format_rational(high)}"


def _checked(document: Mapping[str, Any]) -> tuple[bool, str, str]:
    report, option = checked(document)
    if report.accepted:
        return True, "accepted by the kernel", option
    last = report.steps[-1]
    return False, f"REJECTED by the kernel at step {last.number} ({last.name}): {last.reason}", ""


def world_summary(name: str, model: CMDP, method: str = "auto") -> tuple[WorldSummary, Optimum]:
    """The row of the report for a world, and the certified optimum behind it."""
    start = time.perf_counter()
    found = certified_optimum(model, method)
    summary = WorldSummary(
        name=name,
        title=WORLDS[name].title if name in WORLDS else name,
        states=model.n_states,
        choices=model.n_choices,
        value=found.value or f"infeasible by {found.relaxation}",
        decimal=decimal(found.value) if found.value else "",
        certified=found.certified,
        seconds=time.perf_counter() - start,
        details=_details(model, found),
    )
    return summary, found


def _details(model: CMDP, found: Optimum) -> dict[str, str]:
    return {
        "multipliers": ", ".join(map(brief, found.multipliers)) or "none",
        "budgets": ", ".join(map(str, model.budgets)) or "none",
        "discount": str(model.discount),
        "optimum": "; ".join(found.remarks) or "infeasible",
    }
