"""Projected dual ascent: what the path of the multiplier says of the violations on the way.

Notation as in `foundations`.

Main results: `telescoping`, `telescoping_unclipped`, `telescoping_average`, `regret`.
"""

from ..quantities import Domain, Quantity
from ..relations import Eq, Le
from ..theorem import Assumption, Provenance, Source, Theorem
from .natural_gradient import _SOURCE, eta

UNCAPPED = Assumption("uncapped", "The multiplier is never cut off from above.")
UNCLIPPED = Assumption("unclipped", "The multiplier never hits zero.")

shortfall = Quantity("shortfall", "sum over steps of tau - j_k", latex=r"\sum_{k<K}(\tau-j_k)")
lam_last = Quantity("lam_K", "last multiplier", Domain.NONNEGATIVE, r"\lambda_K")
lam_first = Quantity("lam_0", "first multiplier", Domain.NONNEGATIVE, r"\lambda_0")
telescoping = Theorem(
    label="primal-dual/telescoping",
    title="The multiplier's rise pays for the constraint's shortfall",
    relation=Le(shortfall, (lam_last - lam_first) / eta),
    source=_SOURCE,
    given=(UNCAPPED,),
    proof="max(0, x) >= x; sum the updates.",
)
telescoping_unclipped = Theorem(
    label="primal-dual/telescoping-unclipped",
    title="Away from zero the multiplier's rise is exactly the shortfall",
    relation=Eq(shortfall, (lam_last - lam_first) / eta),
    source=_SOURCE,
    given=(UNCAPPED, UNCLIPPED),
    proof="Every update is then an equality.",
    uses=("primal-dual/telescoping",),
)

rho = Quantity("rho", "weight of the past in the moving average", Domain.DISCOUNT, r"\rho")
e_last = Quantity("e_last", "last moving average", latex="e_{K-1}")
e_first = Quantity("e_first", "moving average before the first step", latex="e_{-1}")
telescoping_average = Theorem(
    label="primal-dual/telescoping-average",
    title="The multiplier's rise and the shortfall, with a moving average in the update",
    relation=Le(shortfall, (lam_last - lam_first) / eta - rho / (1 - rho) * (e_last - e_first)),
    source=_SOURCE,
    given=(UNCAPPED,),
    proof="j_k = e_k + rho/(1 - rho) (e_k - e_{k-1}); sum.",
    uses=("primal-dual/telescoping",),
    remark="e_k = rho e_{k-1} + (1 - rho) j_k enters the update in place of j_k.",
)

energy = Quantity(
    "energy", "sum over steps of (j_k - tau)^2", Domain.NONNEGATIVE, r"\sum_{k<K}(j_k-\tau)^2"
)
weighted_slack = Quantity(
    "weighted", "sum over steps of lambda_k (j_k - tau)", latex=r"\sum_{k<K}\lambda_k(j_k-\tau)"
)
regret = Theorem(
    label="primal-dual/regret",
    title="What the multipliers earn is paid for by their steps",
    relation=Le(weighted_slack, (lam_first**2 - lam_last**2) / (2 * eta) + eta / 2 * energy),
    source=Source("holdfast", "projected gradient descent on the dual", Provenance.DERIVED),
    proof="Projecting onto an interval that holds 0 does not lengthen; square and sum the updates.",
    remark="Holds with a cap as well; an equality on a path that is never cut off.",
)
