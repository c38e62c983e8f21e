r"""The actor's oracle: Hedge, which is tabular NPG, and projected gradients, a state at a time.

Payoffs :math:`g_k` of K rounds lie in an interval of length R; the regret to a law pi is
:math:`\sum_k\langle g_k,\pi-\pi_k\rangle`.  pi_k depends on earlier payoffs only, which may depend
on pi_k in turn.  WSAC's penalised payoffs have R up to
:math:`(1+2\lambda)V_{\max}`: a large multiplier is not free.

Main results: `hedge`, `gradient`, `starts`.
"""

from sympy import log, sqrt

from ..quantities import Domain, Quantity
from ..relations import Both, Le
from ..theorem import Assumption, Provenance, Sharp, Source, Theorem
from .coverage import OURS

regret = Quantity("regret", "sum of <g_k, pi - pi_k>", latex=r"\sum_k\langle g_k,\pi-\pi_k\rangle")
KL = Quantity("KL", "KL(pi | pi_1)", Domain.NONNEGATIVE, r"\mathrm{KL}(\pi\|\pi_1)")
eta = Quantity("eta", "rate", Domain.POSITIVE, r"\eta")
R = Quantity("R", "length of the interval of payoffs", Domain.POSITIVE, "R")
K = Quantity("K", "number of rounds", Domain.TRIALS, "K")
RANGE = Assumption("range", "Payoffs of each round lie in an interval of length R.")
_HEDGE = "pi_{k+1} is proportional to pi_k exp(eta g_k)."
hedge = Theorem(
    label="no-regret/hedge",
    title="Hedge from any first law: a divergence over the rate, and an eighth of the rate a round",
    relation=Le(regret, KL / eta + eta * R**2 * K / 8),
    source=Source("Cesa-Bianchi, Lugosi 2006", "Theorem 2.2, any start", Provenance.RECALLED),
    given=(RANGE, Assumption("weights", _HEDGE)),
    proof="KL(pi | pi_k) telescopes, and Hoeffding's lemma bounds each round.",
    sharp=(Sharp("1/8", "One round, the even law and its own tilt, as the rate vanishes."),),
)
D2 = Quantity("D2", "squared distance of pi and pi_1", Domain.NONNEGATIVE, r"\|\pi-\pi_1\|_2^2")
G2 = Quantity("G2", "largest squared norm of payoffs", Domain.POSITIVE, "G^2")
gradient = Theorem(
    label="no-regret/gradient",
    title="Projected gradients: a squared distance over the rate, and half the rate a round",
    relation=Le(regret, D2 / (2 * eta) + eta * G2 * K / 2),
    source=Source("Zinkevich 2003", "Theorem 1, fixed rate", Provenance.RECALLED),
    given=(Assumption("projected", "pi_{k+1} is the law nearest to pi_k + eta g_k."),),
    proof="A projection brings no nearer law farther away; squared distances telescope.",
    remark="D2 is at most 2.",
)
cold = Quantity("cold", "average regret of Hedge from the uniform law, tuned")
warm = Quantity("warm", "average regret to pi_1 itself of Hedge from pi_1")
actions = Quantity("actions", "number of actions", Domain.TRIALS, "|A|")
starts = Theorem(
    label="no-regret/starts",
    title="Started at the comparator, Hedge has no log |A| in its regret",
    relation=Both(
        Le(cold, R * sqrt(log(actions) / (2 * K))),
        Le(warm, eta * R**2 / 8),
    ),
    source=OURS,
    given=(RANGE, Assumption("weights", _HEDGE)),
    proof="no-regret/hedge with eta = sqrt(8 log|A|/K)/R, and with KL = 0.",
    uses=("no-regret/hedge",),
    remark="From the uniform law the bound says little at the rates of the experiments; from the "
    "reference it says something for every K.",
)
