r"""How a Boltzmann law moves: derivatives of its means are covariances.

:math:`p_\theta(b)\propto e^{q_\theta(b)/\beta}`, and d is the derivative along one direction of the
leader's parameters.  The follower's policy is such a law at every state, with :math:`q=Q_F`.

Main results: `trick`, `gaussian`, `envelope`, `tilted`.
"""

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Provenance, Source, Theorem

PAPER = "Kudo, Tanabe, Wachi, Akimoto 2026 (Boltzmann covariance hypergradients)"
OURS = Source("holdfast", f"for the setting of {PAPER}", Provenance.DERIVED)

beta = Quantity("beta", "temperature of the follower", Domain.POSITIVE, r"\beta")
moved = Quantity("moved", "derivative of the mean of F under p", latex=r"d\,\mathbb E_pF")
explicit = Quantity("explicit", "mean of dF", latex=r"\mathbb E_p\,dF")
covariance = Quantity("covariance", "covariance of F and dq", latex=r"\mathrm{Cov}_p(F,dq)")
centred_F = Quantity("centred_F", "mean of (F - E F) dq", latex=r"\mathbb E(F-\mathbb EF)dq")
centred_q = Quantity("centred_q", "mean of F (dq - E dq)", latex=r"\mathbb EF(dq-\mathbb Edq)")
raw = Quantity("raw", "mean of F dq, nothing centred", latex=r"\mathbb EF\,dq")
means = Quantity("means", "mean of F times mean of dq", latex=r"\mathbb EF\,\mathbb Edq")
trick = Theorem(
    label="covariance/trick",
    title="The mean under a Boltzmann law moves by a covariance over the temperature",
    relation=Both(
        Eq(moved, explicit + covariance / beta),
        Eq(covariance, centred_F),
        Eq(covariance, centred_q),
        Eq(covariance, raw - means),
    ),
    source=Source(PAPER, "the trick of its title; form ours", Provenance.RECALLED),
    proof="d log p(b) = (dq(b) - E dq)/beta, and centring one of two factors centres the product.",
    remark="A KL-regularised policy is Boltzmann in its reward, with the weight of the KL as beta.",
)
stein = Quantity("stein", "mean of the derivative of F", latex=r"\mathbb EF'")
GAUSSIAN = Assumption("gaussian", "q is -beta (x - m)^2/(2 s^2), F a polynomial, and d moves m.")
gaussian = Theorem(
    label="covariance/gaussian",
    title="For a quadratic q it is Stein's lemma",
    relation=Both(Eq(moved, covariance / beta), Eq(moved, stein)),
    source=OURS,
    given=(GAUSSIAN,),
    proof="dq = beta (x - m)/s^2, and Cov(F, x)/s^2 = E F'.",
    uses=("covariance/trick",),
)
log_slope = Quantity("log_slope", "derivative of log g(b|x)", latex=r"d\log g(b|x)")
dQ = Quantity("dQ", "derivative of Q_F(x, b)", latex="dQ_F")
mean_dQ = Quantity("mean_dQ", "mean of dQ_F(x, .) under g", latex=r"\mathbb E_g\,dQ_F")
dV = Quantity("dV", "derivative of V_F(x)", latex="dV_F")
term = Quantity("term", "dr_F + gamma_F sum dP V_F", latex=r"dr_F+\gamma_F\,dP\,V_F")
gamma_F = Quantity("gamma_F", "discount of the follower", Domain.DISCOUNT, r"\gamma_F")
ahead = Quantity("ahead", "mean of dV_F at the next state", latex=r"P\,dV_F")
summed = Quantity("summed", "mean of the sum of gamma_F^k i_k from (x, b) on")
SMOOTH = Assumption(
    "smooth", "Rewards, transitions and first law are C1; the support of the laws stays the same."
)
envelope = Theorem(
    label="covariance/envelope",
    title="The follower's values move as if its policy stood still, its policy by their advantage",
    relation=Both(
        Eq(dV, mean_dQ),
        Eq(dQ, term + gamma_F * ahead),
        Eq(dQ, summed),
        Eq(log_slope, (dQ - dV) / beta),
    ),
    source=Source(PAPER, "as its code computes it; form ours", Provenance.RECALLED),
    given=(SMOOTH,),
    proof="dV = E_g dQ for a log-sum-exp (Danskin); the Bellman equation, iterated; and "
    "log g = (Q_F - V_F)/beta.",
    remark="i = dr_F + gamma_F dlog P V_F(next). A deterministic transition that depends on the "
    "parameter has no score.",
)

shown = Quantity(
    "shown", "mean of p/pi (F - E F) dq/beta under pi",
    latex=r"\mathbb E_\pi\tfrac p\pi(F-\mathbb EF)\tfrac{dq}\beta",
)  # fmt: skip
eps = Quantity("eps", "how far off it may be", Domain.NONNEGATIVE, r"\varepsilon")
TILTED = Assumption("tilted", "p is pi exp(q/beta), normalised; F does not move.")
tilted = Theorem(
    label="covariance/tilted",
    title="Weighted samples of the reference show how a KL-regularised policy moves",
    relation=Both(Le(shown, moved + eps), Ge(shown, moved - eps)),
    source=OURS,
    given=(TILTED,),
    proof="E_pi (p/pi) h = E_p h and covariance/trick: it holds without eps, which leaves room for "
    "samples.",
    uses=("covariance/trick",),
)
