r"""The leader's hypergradient in a Markov decision process that it configures.

:math:`J=\mathbb E\sum_t\gamma_L^tr_L` under the follower's best response g, un-normalised;
:math:`A_L=Q_L-V_L` is the leader's advantage, occ its discounted visits.

Main results: `boltzmann`, `unbiased`, `truncation`, `shaping`.
"""

from sympy import Abs

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Le
from ..theorem import Assumption, Provenance, Source, Theorem
from .covariance import OURS, PAPER, SMOOTH, beta, dQ, gamma_F

_SUM = r"\mathbb E\sum\gamma_L^t"
dJ = Quantity("dJ", "derivative of the leader's un-normalised return J", latex="dJ")
direct = Quantity("direct", "dJ at a fixed policy of the follower")
indirect = Quantity("indirect", "E sum gamma_L^t A_L dQ_F", latex=_SUM + "A_LdQ_F")
advantages = Quantity("advantages", "E sum gamma_L^t Q_L dA_F", latex=_SUM + "Q_LdA_F")
both = Quantity("both", "E sum gamma_L^t A_L dA_F", latex=_SUM + "A_LdA_F")
visited = Quantity("visited", "sum of occ(s) Cov(Q_L, dQ_F) over s")
uncentred = Quantity("uncentred", "E sum gamma_L^t Q_L dQ_F", latex=_SUM + "Q_LdQ_F")
means = Quantity("means", "E sum gamma_L^t V_L dV_F", latex=_SUM + "V_LdV_F")
boltzmann = Theorem(
    label="hypergradients/boltzmann",
    title="The hypergradient: a direct term, and a covariance over the temperature",
    relation=Both(
        Eq(dJ, direct + indirect / beta),
        Eq(indirect, advantages),
        Eq(indirect, both),
        Eq(indirect, visited),
        Eq(indirect, uncentred - means),
    ),
    source=Source(PAPER, "its hypergradient, as a comment of its code has it", Provenance.RECALLED),
    given=(SMOOTH,),
    proof="dJ = direct + sum occ sum_b dg Q_L; covariance/trick at each state.",
    uses=("covariance/trick", "covariance/envelope"),
    remark="direct is E sum gamma_L^t (dr_L + gamma_L dlog P V_L) + E dlog mu V_L. With Q_L dA_F "
    "it is the form of Thoma et al. 2024 (HPGD).",
)
sampled_direct = Quantity("sampled_direct", "expected direct sum of one trajectory")
traced = Quantity("traced", "expected sum of e_k i_k, where e_k = gamma_F e_{k-1} + gamma_L^k A_L")
suffixes = Quantity(
    "suffixes", "expected sum of gamma_L^t A_L times the sum of gamma_F^(k-t) i_k over k >= t"
)
ENDS = Assumption("ends", "Episodes end, and critics are exact.")
unbiased = Theorem(
    label="hypergradients/unbiased",
    title="One trajectory without resets gives an unbiased estimate, by a scalar trace",
    relation=Both(Eq(dJ, sampled_direct + traced / beta), Eq(traced, suffixes)),
    source=Source(PAPER, "the estimator from one trajectory; trace form ours", Provenance.RECALLED),
    given=(ENDS,),
    proof="Given the past, the suffix sum is dQ_F in the mean; the trace is the other order.",
    uses=("hypergradients/boltzmann", "covariance/envelope"),
    remark="Where transitions depend on the parameter the direct sum needs their scores as well.",
)
dQ_cut = Quantity("dQ_cut", "mean of the first m terms of the sum for dQ_F", latex="dQ_F^{(m)}")
m = Quantity("m", "terms that are kept", Domain.COUNT, "m")
G = Quantity("G", "largest |E i| of all states and actions", Domain.NONNEGATIVE, "G_F")
truncation = Theorem(
    label="hypergradients/truncation",
    title="A suffix cut after m steps has a bias that is geometric in m",
    relation=Le(Abs(dQ - dQ_cut), gamma_F**m * G / (1 - gamma_F)),
    source=OURS,
    proof="What is cut is the sum of gamma_F^k E i_k over k >= m.",
    uses=("covariance/envelope",),
    remark="For m = 0 it bounds dQ_F itself, by G_F/(1 - gamma_F).",
)
dg = Quantity("dg", "largest |dg(b|x)|", Domain.NONNEGATIVE, r"\|dg\|_\infty")
NO_INFLUENCE = Assumption(
    "shaping",
    "The follower has one action, or its reward moves by gamma_F E psi(next) - psi(x), where psi "
    "is 0 once the episode is over.",
)
shaping = Theorem(
    label="hypergradients/shaping",
    title="A potential moves neither the follower nor the indirect term; nothing moves one action",
    relation=Both(Eq(dg, 0), Eq(indirect, 0)),
    source=OURS,
    given=(NO_INFLUENCE,),
    proof="Q_F moves by -psi(x), the same for every action; with one action A_L = 0.",
    uses=("hypergradients/boltzmann",),
)
