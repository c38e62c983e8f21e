r"""What a data law says of another policy: identities, coverage, and how far frequencies stray.

All is normalised: :math:`d^\pi` and mu sum to 1, :math:`J=\langle d,\cdot\rangle`; V and Q are
un-normalised.  :math:`L_\mu(\pi,f)=\mathbb E_\mu[f(s,\pi)-f(s,a)]`, mu the occupancy of the
behaviour policy, and :math:`T^\pi f` the Bellman backup.

Main results: `difference`, `decomposition`, `concentrability`, `separation`, `deviation`,
`cloning_bias`, `cloning_spread`.
"""

from sympy import Abs, E

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Provenance, Source, Theorem

PAPER = "Wei, Peng, Ghosh, Liu 2024 (WSAC)"
OURS = Source("holdfast", f"for the setting of {PAPER}", Provenance.DERIVED)


def read(place: str) -> Source:
    """The paper at a place, in the text that was read."""
    return Source(PAPER, place, Provenance.READ)


OCCUPANCY = Assumption("occupancy", "mu is the occupancy of the behaviour policy.")
COVERED = Assumption("covered", "mu is positive wherever the occupancy of the reference is.")
gamma = Quantity("gamma", "discount", Domain.DISCOUNT, r"\gamma")
V_pi = Quantity("V_pi", "un-normalised return of pi", latex=r"V^\pi")
V_mu = Quantity("V_mu", "un-normalised return of the behaviour", latex=r"V^\mu")
L_Q = Quantity("L_Q", "L_mu(pi, Q^pi)", latex=r"L_\mu(\pi,Q^\pi)")
difference = Theorem(
    label="coverage/difference",
    title="The gain over the behaviour policy is a mean under its own data",
    relation=Eq((1 - gamma) * (V_pi - V_mu), L_Q),
    source=OURS,
    given=(OCCUPANCY,),
    proof="The performance difference lemma with the critic of pi and the occupancy of mu.",
    remark="With un-normalised returns the factor 1 - gamma is missing.",
)

V_hat = Quantity("V_hat", "un-normalised return of another policy", latex=r"V^{\hat\pi}")
under_mu = Quantity("under_mu", "E_mu [f - T f]", latex=r"\mathbb E_\mu[f-T^{\hat\pi}f]")
under_pi = Quantity(
    "under_pi", "E_d [T f - f], d of pi", latex=r"\mathbb E_{d^\pi}[T^{\hat\pi}f-f]"
)
shown = Quantity(
    "shown", "E_d [f(s, pi) - f(s, hat pi)], d of pi",
    latex=r"\mathbb E_{d^\pi}[f(s,\pi)-f(s,\hat\pi)]",
)  # fmt: skip
L_f = Quantity("L_f", "L_mu(hat pi, f)", latex=r"L_\mu(\hat\pi,f)")
L_hat = Quantity("L_hat", "L_mu(hat pi, Q)", latex=r"L_\mu(\hat\pi,Q^{\hat\pi})")
decomposition = Theorem(
    label="coverage/decomposition",
    title="What one policy has over another, in four terms, for any function f",
    relation=Eq((1 - gamma) * (V_pi - V_hat), under_mu + under_pi + shown + L_f - L_hat),
    source=read("Lemma 6"),
    given=(OCCUPANCY,),
    proof="E_d [f(s, hat pi) - gamma f(s', hat pi)] = (1 - gamma) f(rho, hat pi), for d of pi and "
    "for mu.",
    uses=("coverage/difference",),
    remark="The printed proof writes f(s_0, hat pi) without 1 - gamma; the identity is right.",
)

square = Quantity("square", "E_mu (d/mu)^2", Domain.NONNEGATIVE, r"C_{\ell_2}^2")
largest = Quantity("largest", "largest d/mu", Domain.NONNEGATIVE, r"C_{\ell_\infty}")
chi = Quantity("chi", "chi^2 divergence of d from mu", Domain.NONNEGATIVE, r"\chi^2(d\|\mu)")
concentrability = Theorem(
    label="coverage/concentrability",
    title="The l2 concentrability of the paper, beside chi^2 and the largest ratio",
    relation=Both(Ge(square, 1), Le(square, largest), Eq(square, 1 + chi)),
    source=read("Lemma 1; the part with chi^2 is ours"),
    given=(COVERED,),
    proof="E_mu d/mu = 1, so that the square is 1 plus a variance; and E_mu (d/mu)^2 = E_d d/mu.",
    remark="So C_l2 <= C_l2^2. That C_l2 is at most the Bellman constant holds on some instances "
    "only and is not claimed.",
)
p = Quantity("p", "probability that the target gives the rare pair", Domain.PROBABILITY, "p")
separation = Theorem(
    label="coverage/separation",
    title="The largest ratio may grow without end while the l2 concentrability is below sqrt 2",
    relation=Both(Eq(square, 2 / (1 + p)), Eq(largest, 1 / p)),
    source=OURS,
    given=(Assumption("squared", "d = (1 - p, p) and mu = (1 - p^2, p^2), 0 < p < 1."),),
    proof="(1 - p)^2/(1 - p^2) + p^2/p^2.",
)

failing_E = Quantity("failing_E", "probability that some E strays by more than epsilon_E",
                     Domain.PROBABILITY, "P_E")  # fmt: skip
failing_L = Quantity("failing_L", "probability that some L strays by more than epsilon_L",
                     Domain.PROBABILITY, "P_L")  # fmt: skip
delta = Quantity("delta", "probability allowed to fail", Domain.PROBABILITY, r"\delta")
deviation = Theorem(
    label="coverage/deviation",
    title="How far averages over N data stray, for finite classes, with constants",
    relation=Both(Le(failing_E, delta), Le(failing_L, delta)),
    source=Source(PAPER, "Lemma 4, with explicit constants", Provenance.DERIVED),
    given=(Assumption("independent", "The data are independent draws from mu."),),
    proof="Bernstein's inequality for E, Hoeffding's for L, and a union.",
    remark="epsilon_E = V C sqrt(2 l/N) + 2 V B l/(3 N), l = log(2 |F| |Pi| |W|/delta); epsilon_L "
    "= V sqrt(2 log(2 |F| |Pi|/delta)/N); V = Vmax, C the largest norm of W, B its largest value; "
    "twice that for costs. The paper's Lemma 3 lacks C, which its Lemma 4 has: a misprint. "
    "Without the term in B/N it is not known to be refutable.",
)

bias = Quantity("bias", "mean of J(cloned) - J(mu)", latex=r"\mathbb EJ(\hat\mu)-J(\mu)")
states = Quantity("states", "number of states", Domain.TRIALS, "S")
N = Quantity("N", "number of data", Domain.TRIALS, "N")
ONE_STEP = Assumption("one-step", "The discount is 0 and rewards lie in [0, 1].")
cloning_bias = Theorem(
    label="coverage/cloning-bias",
    title="Counting actions gives back the behaviour policy on average, but for unseen states",
    relation=Le(Abs(bias), states / (E * N)),
    source=Source(PAPER, "Appendix C, what is true of it, with a constant", Provenance.DERIVED),
    given=(ONE_STEP, Assumption("counted", "Frequencies where seen, a fixed action elsewhere.")),
    proof="Given that s was seen, the frequencies are unbiased; and x (1 - x)^N <= 1/(e N).",
    remark="An expectation (Rajaraman et al. 2020); it bounds no distance of policies.",
)
spread = Quantity("spread", "mean of (J(cloned) - J(mu))^2", Domain.NONNEGATIVE,
                  r"\mathbb E(J(\hat\mu)-J(\mu))^2")  # fmt: skip
variance = Quantity("variance", "of the reward under mu", Domain.NONNEGATIVE,
                    r"\mathrm{Var}_\mu(r)")  # fmt: skip
cloning_spread = Theorem(
    label="coverage/cloning-spread",
    title="A cloned policy is off by order 1/sqrt(N) all the same",
    relation=Eq(spread, variance / N),
    source=OURS,
    given=(ONE_STEP, Assumption("one-state", "There is one state.")),
    proof="J of the frequencies is the mean of N independent rewards.",
    remark="So a bound of order S/N on the distance, with high probability, is not to be had.",
)
