r"""Value alignment: what refitting the critics of an offline policy to the online target can do.

The policy pi stays.  A sweep is :math:`T_\alpha Q=f+\gamma P(Q(\cdot,\pi)+\alpha h)` for rewards or
costs f, with h the entropy of pi in a state; :math:`Q^{\pi,\alpha}` is its fixed point, and
:math:`Q^\pi` that of alpha = 0.  Critics are un-normalised discounted sums from a pair on; errors
are largest absolute differences over pairs.  Marvel (arXiv:2412.04426) has no theorem: all is ours,
for operators as reconstructed from its abstract and reviews.

Main results: `contracts`, `biased`, `aligned`, `pessimistic`, `ranked`, `partial`.
"""

from sympy import log

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Provenance, Source, Theorem

MARVEL = Source("Marvel (arXiv:2412.04426)", "its value pre-alignment, reconstructed; ours",
                Provenance.DERIVED)  # fmt: skip
_AT_LEAST_0 = Domain.NONNEGATIVE
gamma = Quantity("gamma", "discount", Domain.DISCOUNT, r"\gamma")
alpha = Quantity("alpha", "weight of the entropy", _AT_LEAST_0, r"\alpha")
A = Quantity("A", "number of actions", Domain.TRIALS, "|A|")
j = Quantity("j", "sweeps", Domain.COUNT)

soft_0 = Quantity("soft_0", "error of Q_0 against the fixed point of the sweep", _AT_LEAST_0,
                  r"\|Q_0-Q^{\pi,\alpha}\|")  # fmt: skip
soft_j = Quantity("soft_j", "the same of Q_j", _AT_LEAST_0, r"\|Q_j-Q^{\pi,\alpha}\|")
contracts = Theorem(
    label="value-alignment/contracts",
    title="Each sweep brings a critic nearer to the fixed point, by the discount",
    relation=Le(soft_j, gamma**j * soft_0),
    source=MARVEL,
    proof="The entropy cancels in a difference; a mean is at most the largest.",
)
bias = Quantity("bias", "Q^{pi, alpha} less Q^pi at a pair", latex=r"Q^{\pi,\alpha}-Q^\pi")
ahead = Quantity("ahead", "mean sum of gamma^t h(s_t), t >= 1, from the pair on", _AT_LEAST_0,
                 r"\mathbb E\sum_{t\ge1}\gamma^th(s_t)")  # fmt: skip
ceiling = Quantity("H", "the bias of the uniform policy", _AT_LEAST_0, r"\bar H")
biased = Theorem(
    label="value-alignment/biased",
    title="The entropy lifts every value: rewards look better, and costs worse, than they are",
    relation=Both(
        Ge(bias, 0),
        Le(bias, ceiling),
        Eq(ceiling, alpha * gamma * log(A) / (1 - gamma)),
        Eq(bias, alpha * ahead),
    ),
    source=MARVEL,
    proof="Subtract both fixed points; an entropy is between 0 and log |A|.",
    remark="So the aligned cost critic is pessimistic about safety, and none is unbiased.",
)
error_0 = Quantity("error_0", "error of Q_0 against Q^pi", _AT_LEAST_0, r"\|Q_0-Q^\pi\|")
error_j = Quantity("error_j", "error of Q_j against Q^pi", _AT_LEAST_0, r"\|Q_j-Q^\pi\|")
aligned = Theorem(
    label="value-alignment/aligned",
    title="What is left of an offline critic's error after alignment",
    relation=Le(error_j, gamma**j * error_0 + (1 - gamma**j) * ceiling),
    source=MARVEL,
    proof="Q_j - Q^pi is (gamma P_pi)^j (Q_0 - Q^pi), and the bias that j steps collect.",
    uses=("value-alignment/contracts", "value-alignment/biased"),
    remark="The error must fall where error_0 is above the largest bias.",
)
cpq = Quantity("cpq", "fixed point of CPQ's operator at a pair", latex=r"Q_{CPQ}")
value = Quantity("value", "Q^pi at the pair", latex=r"Q^\pi")
lost = Quantity("lost", "value from the first pair taken as unsafe on, discounted", latex="L")
PAYS = Assumption("pays", "Rewards are at least 0.")
pessimistic = Theorem(
    label="value-alignment/pessimistic",
    title="CPQ, which drops what looks unsafe, underestimates by just that",
    relation=Both(Ge(cpq, 0), Le(cpq, value), Eq(value - cpq, lost)),
    source=MARVEL,
    given=(PAYS,),
    proof="The difference solves D = gamma P (1{safe} D + 1{unsafe} Q^pi).",
    remark="Equal if and only if nothing of value that looks unsafe can be reached.",
)
rho = Quantity("rho", "Spearman's rank correlation of Q_j and Q^pi over pairs", latex=r"\rho_S")
SEPARATED = Assumption(
    "separated", "2 gamma^j |Q_0 - Q^pi| is below the least difference of Q^pi between two pairs."
)
ranked = Theorem(
    label="value-alignment/ranked",
    title="Without entropy, enough sweeps recover the order of all pairs",
    relation=Eq(rho, 1),
    source=MARVEL,
    given=(SEPARATED,),
    proof="No difference between two pairs can have changed its sign.",
    uses=("value-alignment/contracts",),
    remark="With alpha = 0. On the way the rank correlation may fall, from the first sweep on.",
)
elsewhere = Quantity("elsewhere", "the bias at another pair", latex=r"(Q^{\pi,\alpha}-Q^\pi)'")
agree = Quantity("agree", "couples of pairs that both critics order alike", Domain.COUNT)
couples = Quantity("couples", "couples of pairs", Domain.COUNT)
CONSTANT = Assumption("constant", "The policy has the same entropy in all states.")
even = Theorem(
    label="value-alignment/even",
    title="Where the entropy is the same everywhere it moves no rank",
    relation=Both(Eq(bias, elsewhere), Eq(agree, couples)),
    source=MARVEL,
    given=(CONSTANT,),
    proof="The bias is alpha gamma h/(1 - gamma) at every pair.",
    uses=("value-alignment/biased",),
    remark="Where it is not, a large alpha reorders pairs.",
)
p = Quantity("p", "largest probability of a covered pair to be followed by one that is not",
             Domain.PROBABILITY)  # fmt: skip
out = Quantity("e_out", "error of Q_0 on pairs that are not covered", _AT_LEAST_0, r"e_{\rm out}")
inside = Quantity("e_in", "error on covered pairs in the limit", _AT_LEAST_0, r"e_{\rm in}")
partial = Theorem(
    label="value-alignment/partial",
    title="Alignment on covered pairs alone: what the others let in",
    relation=Le(inside, gamma * p * out / (1 - gamma * (1 - p))),
    source=MARVEL,
    proof="e_in <= gamma ((1 - p) e_in + p e_out).",
    uses=("value-alignment/contracts",),
    remark="With alpha = 0. Exact where the policy never leaves the covered pairs.",
)
