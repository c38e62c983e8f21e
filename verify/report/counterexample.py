"""Counterexamples as reports receive them.

A run leaves them in ``RunSummary.models["counterexamples"][claim name]``, a mapping with the keys
``case`` (the description of the case: a list of JSON documents), ``values`` (quantity -> text),
``text``, ``certificate`` (a path or None) and ``shrunk``.  Every key may be missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..campaign.summary import RunSummary
from ..engine.finding import Finding


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A case on which a statement is false.

    case: JSON documents of its parts; values: of the quantities, as text; text: for people;
    certificate: path of the certificate, or empty; shrunk: whether smaller ones were looked for;
    part, left, right, digest: as in a `Finding`, left empty where the record does not say.
    """

    case: tuple[Any, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    certificate: str = ""
    shrunk: bool = False
    part: int = 0
    left: str = ""
    right: str = ""
    digest: str = ""

    @property
    def models(self) -> tuple[Mapping[str, Any], ...]:
        """The constrained MDPs among the parts, and those within a problem."""
        return tuple(_model_of(part) for part in self.case if _model_of(part))

    @property
    def policies(self) -> tuple[tuple[str, ...], ...]:
        """The stationary policies among the parts, as probabilities of the choices."""
        found = (part.get("probabilities") for part in self.case if isinstance(part, Mapping))
        return tuple(tuple(map(str, row)) for row in found if isinstance(row, list | tuple))

    @property
    def others(self) -> tuple[Any, ...]:
        """What is neither: other parts, and what a problem says beside its model."""
        rest = (part for part in self.case if not is_model(part) and not _is_policy(part))
        return tuple(
            {name: value for name, value in part.items() if name != "model"}
            if _model_of(part)
            else part
            for part in rest
        )


def is_model(part: Any) -> bool:
    """Whether a JSON document is a constrained MDP with everything that a picture needs."""
    if not isinstance(part, Mapping) or part.get("kind") != "cmdp":
        return False
    keys = ("choices", "transitions", "reward", "costs")
    if not all(isinstance(part.get(key), list) for key in keys):
        return False
    count = len(part["choices"])
    rows = [part["transitions"], part["reward"], *part["costs"]]
    return isinstance(part.get("n_states"), int) and all(len(row) == count for row in rows)


def _model_of(part: Any) -> Mapping[str, Any]:
    """The document itself if it is a model, the model of a problem; or nothing."""
    found = part.get("model") if isinstance(part, Mapping) and not is_model(part) else part
    return found if isinstance(found, Mapping) and is_model(found) else {}


def _is_policy(part: Any) -> bool:
    return isinstance(part, Mapping) and isinstance(part.get("probabilities"), list | tuple)


def counterexample(summary: RunSummary, claim: str) -> Counterexample | None:
    """The counterexample to a claim that the run kept, if any."""
    records = summary.models.get("counterexamples")
    record = records.get(claim) if isinstance(records, Mapping) else None
    if isinstance(record, Counterexample):
        return record
    if not isinstance(record, Mapping):
        return None
    case, values = record.get("case") or (), record.get("values") or {}
    return Counterexample(
        case=tuple(case) if isinstance(case, list | tuple) else (case,),
        values={str(name): str(value) for name, value in values.items()},
        text=str(record.get("text") or ""),
        certificate=str(record.get("certificate") or ""),
        shrunk=bool(record.get("shrunk")),
        part=int(record.get("part") or 0),
        left=str(record.get("left") or ""),
        right=str(record.get("right") or ""),
        digest=str(record.get("digest") or ""),
    )


def shown(finding: Finding, kept: Counterexample | None) -> Finding:
    """The violation to show: the one that was kept, where it says what its sides are."""
    if kept is None or not kept.left:
        return finding
    case = f"{finding.case}, shrunk" if kept.shrunk else finding.case
    return replace(
        finding,
        case=case,
        part=kept.part,
        left=kept.left,
        right=kept.right,
        digest=kept.digest,
        values=kept.values,
    )
