"""Which theorem a finding of the auditor of losses is by, or against."""

from __future__ import annotations

from holdfast.solvers.alignment.audits.trainers import Finding

_THEOREMS = {
    ("rewards", "1 - 1/G"): "group-updates/centred",
    ("rewards", "1"): "group-updates/leave-one-out",
    ("divergence", "reverse"): "group-updates/corrected-estimator",
    ("divergence", "forward"): "group-updates/uncorrected-estimator",
    ("divergence", "absent"): "primal-dual/no-divergence",
    ("fixed point", "(1 - 1/G)/beta"): "group-updates/fixed-point",
    ("fixed point", "1/beta"): "tilts/gibbs",
    ("fixed point", "multiplier/beta"): "stepwise/composition",
    ("mixture", "lock-step"): "primal-dual/lock-step",
}
"""(check, form) -> label of the statement."""


def theorem_of(one: Finding) -> str | None:
    """The label, or None where no theorem but a definition is at stake."""
    if one.check == "fixed point" and one.fault:
        return "tilts/gibbs"
    if one.form == "absent" and not one.fault:
        return None
    return _THEOREMS.get((one.check, one.form))
