r"""What losses on preferences lead to: which policies they can tell apart, and which they prefer.

Notation.  One prompt; pairs of responses have weights, the same in either order, and a positive
weight joins them in the *comparison graph*.  A Bradley-Terry population prefers y to y' with
probability :math:`\sigma(r(y)-r(y'))`.  Log-ratios are :math:`\log(\pi/\pi_{ref})`; DPO's loss is
:math:`-E\log\sigma(\beta\,\Delta)` with their difference :math:`\Delta`, IPO's
:math:`E(\Delta-1/(2\beta))^2`.

Main results: `dpo_loss`, `dpo`, `components`, `ipo`, `kto`.
"""

from sympy import log

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Lt
from ..theorem import Assumption, Provenance, Source, Theorem
from .tilts import beta

OURS = Source("holdfast", "for losses on preferences", Provenance.DERIVED)
POPULATION = Assumption("population", "All labels of a Bradley-Terry population, not a sample.")
CONNECTED = Assumption("connected", "The comparison graph is connected.")

loss = Quantity("loss", "DPO's loss at a policy", latex="L")
least = Quantity("least", "DPO's loss at the tilt by r", latex=r"L(\pi_r)")
labels = Quantity(
    "labels", "weighted KL of the labels from those that the policy predicts", Domain.NONNEGATIVE,
    r"E\,\mathrm{KL}(p\|\sigma)",
)  # fmt: skip
dpo_loss = Theorem(
    label="preferences/dpo-loss",
    title="What DPO's loss exceeds that of the tilt by is a divergence of labels",
    relation=Eq(loss - least, labels),
    source=OURS,
    given=(POPULATION,),
    proof="It is a cross-entropy, least where the policy predicts the labels; the tilt does.",
    uses=("tilts/gibbs",),
)

ratio = Quantity("ratio", "pi(y)/pi(y') where DPO's loss is least", Domain.POSITIVE, r"\pi/\pi'")
ratio_ref = Quantity("ratio_ref", "the same of the reference", Domain.POSITIVE)
gain = Quantity("gain", "reward of y", latex="r(y)")
other_gain = Quantity("other_gain", "reward of y'", latex="r(y')")
dpo = Theorem(
    label="preferences/dpo",
    title="Where all responses are connected, DPO's loss is least at the tilt alone",
    relation=Eq(log(ratio), log(ratio_ref) + (gain - other_gain) / beta),
    source=OURS,
    given=(POPULATION, CONNECTED),
    proof="sigma is injective, so log-ratios differ by (r - r')/beta along each edge; add them up.",
    uses=("preferences/dpo-loss",),
    remark="Not all pairs need be compared, nor as the reference draws them.  The mass of the "
    "responses as a whole is free, where a model has others.",
)

across = Quantity("across", "the ratio of responses that are not connected", Domain.POSITIVE)
shifted_loss = Quantity("shifted_loss", "the loss, with mass moved across components")
components = Theorem(
    label="preferences/components",
    title="Where they are not, DPO says nothing of mass across components",
    relation=Both(
        Eq(log(ratio), log(ratio_ref) + (gain - other_gain) / beta),
        Eq(shifted_loss, loss),
    ),
    source=OURS,
    given=(POPULATION,),
    proof="The loss has differences within a component only.",
    uses=("preferences/dpo-loss",),
    remark="y and y' are connected.",
)

win = Quantity("win", "mean probability that y is preferred", Domain.PROBABILITY, "w(y)")
other_win = Quantity("other_win", "the same of y'", Domain.PROBABILITY, "w(y')")
log_ratio = Quantity("log_ratio", "log-ratio of y less that of y', where IPO's loss is least")
ALL_PAIRS = Assumption("all-pairs", "Both responses of a pair are drawn from one law mu > 0.")
ipo = Theorem(
    label="preferences/ipo",
    title="IPO tilts by how often a response is preferred, not by its reward",
    relation=Eq(log_ratio, (win - other_win) / beta),
    source=Source("Azar et al. 2024 (IPO)", "form ours", Provenance.RECALLED),
    given=(ALL_PAIRS,),
    proof="The loss is quadratic; its gradient at y is mu(y) times log-ratio less mean log-ratio "
    "less (2 w(y) - 1)/(2 beta).",
    remark="Any preferences, transitive or not; w is a mean over mu.",
)

kto_loss = Quantity("kto_loss", "KTO's loss at a policy of full support", Domain.NONNEGATIVE)
kto_moved = Quantity(
    "kto_moved", "the same, half the mass of a bad response moved to a good one", Domain.NONNEGATIVE
)
BALANCE = Assumption(
    "balance", "One response is labelled desirable, one undesirable, more often than not."
)
kto = Theorem(
    label="preferences/kto",
    title="KTO's loss is least where no undesirable response has mass, so at no tilt",
    relation=Lt(kto_moved, kto_loss),
    source=OURS,
    given=(BALANCE,),
    proof="Given its baseline, the loss falls with the mass of the one and rises with that of the "
    "other; a tilt has full support.",
    remark="The baseline is detached, any number; weights of labels are counted in.",
)
