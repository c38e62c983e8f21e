"""Which theorem a finding of the auditor of losses is by, or against."""

from __future__ import annotations

from holdfast.solvers.alignment.audits.trainers import Finding

_THEOREMS = {
    ("rewards", "1 - 1/G"): "group-updates/fixed-point",
    ("rewards", "1"): "group-updates/leave-one-out",
    ("divergence", "reverse"): "group-updates/estimators",
    ("divergence", "forward"): "group-updates/estimators",
    ("divergence", "absent"): "group-primal-dual/kl-gradient",
    ("fixed point", "(1 - 1/G)/beta"): "group-updates/fixed-point",
    ("fixed point", "1/beta"): "tilts/gibbs",
    ("fixed point", "multiplier/beta"): "stepwise/composition",
    ("fixed point", "ipo"): "preferences/ipo",
    ("mixture", "lock-step"): "group-primal-dual/lock-step",
    ("reference", "none"): "stepwise/composition",
}
"""(check, form) -> label of the statement."""


def theorem_of(one: Finding) -> str | None:
    """The label, or None where no theorem but a definition is at stake."""
    if one.check in ("fixed point", "divergence") and one.fault and one.form != "absent":
        return _THEOREMS.get((one.check, one.form), "tilts/gibbs")
    if one.form == "absent" and not one.fault:
        return None
    return _THEOREMS.get((one.check, one.form))
