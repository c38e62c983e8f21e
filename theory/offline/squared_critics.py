"""Critics with squared Bellman errors, the form of ATAC, against any covered reference.

Main result: `squared`.
"""

from __future__ import annotations

from ..quantities import Domain, Quantity
from ..relations import Le
from ..theorem import Assumption, Theorem
from .coverage import OURS, chi
from .safe_improvement import REALISABLE

lost_ref = Quantity("lost_ref", "J_r(ref) - J_r(pi)", latex=r"J_r(\pi_{ref})-J_r(\pi)")
shown_ref = Quantity("shown_ref", "E_d [f(s, ref) - f(s, pi)], d of ref",
                     latex=r"\mathbb E_{d^{ref}}[f(s,\pi_{ref})-f(s,\pi)]")  # fmt: skip
beta_2 = Quantity("beta_2", "weight of the squared error", Domain.POSITIVE, r"\beta")
squared = Theorem(
    label="safe-improvement/squared",
    title="With squared Bellman errors, any covered reference up to chi^2/(4 beta)",
    relation=Le(lost_ref, shown_ref + chi / (4 * beta_2)),
    source=OURS,
    given=(REALISABLE, Assumption("covered", "mu is positive where the reference's is.")),
    proof="The first two terms of coverage/decomposition are E_mu (1 - w)(f - T f), at most "
    "sqrt(chi^2) |f - T f|, and beta |f - T f|^2 <= L(Q) - L(f).",
    uses=("coverage/decomposition",),
    remark="For critics of the form of ATAC, with infinite data. A weighted critic with beta >= 2 "
    "has no such term, weighted-critics/reward-step. SATAC's own theorems were not read.",
)
