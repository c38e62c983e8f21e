r"""What logged data certify of a policy, whatever it is and however it was found.

:math:`\underline q` are lower bounds on the means of q, u bounds on the total variation between the
true law T of each pair and that of the model, :math:`\hat T`.  Values are UN-normalised.

Main results: `lower_bound`, `robust`.
"""

from ..cmdp.foundations import gamma
from ..quantities import Domain, Quantity
from ..relations import Le
from ..theorem import Assumption, Theorem
from .guarded import OURS

width = Quantity("width", "width of an interval that holds true returns of all states",
                 Domain.NONNEGATIVE, "R")  # fmt: skip
weighted = Quantity("weighted", "occupancy in the model times bounds on the total variation",
                    Domain.NONNEGATIVE, r"\langle\hat\rho,u\rangle")  # fmt: skip
V_low = Quantity(
    "V_low", "value in the model of lower bounds on q", latex=r"V_{\underline q,\hat T}"
)
V_true = Quantity("V", "value under the true law", latex="V_{q,T}")
BELOW = Assumption("below", "The q of the model are at most the true ones.")
ERRORS = Assumption("errors", "u is at least the total variation, and 1 where nothing is known.")
lower_bound = Theorem(
    label="guarded/lower-bound",
    title="What logged data certify of a policy: term by term",
    relation=Le(V_low - gamma * width * weighted, V_true),
    source=OURS,
    given=(BELOW, ERRORS),
    proof="The simulation lemma, with the span of the true values.",
    uses=("model-based/simulation-lemma",),
    remark="The occupancy-weighted form of OG-A. Upper bounds on costs follow with -q.",
)
claimed = Quantity(
    "claimed", "mean of some numbers V' of the states", latex=r"\langle\rho_0,V'\rangle"
)
excess = Quantity(
    "excess", "by how much V' exceeds its worst backup near the model, at most",
    Domain.NONNEGATIVE, "e",
)  # fmt: skip
robust = Theorem(
    label="guarded/robust",
    title="Numbers that hardly exceed their worst backup near the model are below true values",
    relation=Le(claimed - excess / (1 - gamma), V_true),
    source=OURS,
    given=(BELOW, ERRORS),
    proof="The true backup is at least the worst one; it is monotone and a contraction.",
    remark="It is what `holdfast offline` prints, with V' from an adversary. It has no width R of "
    "all returns, and is often narrower than guarded/lower-bound by orders.",
)
