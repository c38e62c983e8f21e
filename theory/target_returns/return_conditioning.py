r"""Policies that are conditioned on a return, and how far their own return is from it.

Notation.  H steps, rewards in [0, 1], returns UN-normalised; ``beta`` is the behaviour policy, z
or R a target return and ``beta_z`` the behaviour policy conditioned on it, in each state with the
remaining target z less the rewards so far.  alpha_z = Pr(return = z) under beta.  epsilon: each
action has one outcome (rewards and next state) of probability at least 1 - epsilon.

The density forms are stated on a lattice: rewards are k/N, k = 0 .. N - 1, and a density is N times
a probability, with respect to the measure that gives each lattice point 1/N.  The printed proof
holds there word for word, sums for integrals, at every N, so nothing is lost to discretisation; at
N to infinity the statements are the printed ones.

Main results: `alignment`, `sharper_alignment`, `exact_alignment`; `density_bias`,
`density_sharper`, `density_exact_rewards`, `density_smooth`; `model_bias`, `model_bias_sharper`,
`model_bias_pooled`; `fluctuation`; `decomposition`.
"""

from sympy import Abs, Rational, sqrt

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Gt, Le, Lt
from ..theorem import Assumption, Printed, Provenance, Refutation, Sharp, Source, Standing, Theorem

PLS = "Wachi et al. 2025, A provable approach for end-to-end safe reinforcement learning"
RCSL = "Brandfonbrener, Bietti, Buckman, Laroche and Bruna 2022, When does RCSL work?"
OURS = f"holdfast, for {PLS}"

BOUNDED = Assumption("bounded", "Rewards lie in [0, 1].")
COVERED = Assumption("covered", "The behaviour policy has the target return at times, alpha_z > 0.")
NEAR = Assumption("near-deterministic", "Every action has an outcome of at least 1 - epsilon.")
DETERMINISTIC = Assumption("deterministic", "Every action has one outcome, epsilon = 0.")

H = Quantity("H", "number of steps", Domain.TRIALS)
epsilon = Quantity("epsilon", "chance of an unlikely outcome", Domain.PROBABILITY, r"\epsilon")
alpha = Quantity("alpha_z", "chance of the target under beta", Domain.PROBABILITY, r"\alpha_z")
z = Quantity("z", "the target return", Domain.NONNEGATIVE)
J = Quantity("J", "return of the conditioned policy", Domain.NONNEGATIVE, r"J(\beta_z)")

_SHARP = epsilon * H**2 / alpha
sharper_alignment = Theorem(
    label="return-conditioning/sharper-alignment",
    title="A conditioned policy misses its target by at most epsilon H^2/alpha",
    relation=Le(Abs(J - z), _SHARP),
    source=Source(f"holdfast, for {RCSL}", "sharpens Theorem 1", Provenance.DERIVED),
    given=(BOUNDED, COVERED, NEAR),
    proof=(
        "Let F be the chance under beta that the remaining target is hit, m that beta_z misses it. "
        "By Jensen's inequality 1 - m >= F. So, with e <= epsilon the chance of other outcomes, a "
        "step loses F m <= F' m' + e (1 - e) + e^2/4 <= F' m' + epsilon, and alpha m <= H epsilon."
    ),
    remark=(
        "Two-sided, in every coordinate, and without the 2 of Theorem 1; counting episodes with an "
        "unlikely outcome apart gives epsilon H^2 (1 + 1/alpha), which is weaker. Sharp at H = 1 "
        "as epsilon vanishes: a target that only luck reaches."
    ),
    sharp=(Sharp("1", "At H = 1 as epsilon vanishes: a target that only luck reaches."),),
)
alignment = Theorem(
    label="return-conditioning/alignment",
    title="A conditioned policy falls short of its target by at most epsilon H^2 (1/alpha + 2)",
    relation=Le(z - J, epsilon * H**2 * (1 / alpha + 2)),
    source=Source(RCSL, "Theorem 1", Provenance.RECALLED),
    given=(BOUNDED, COVERED, NEAR),
    proof="Couple the process with the deterministic one of likely outcomes.",
    uses=("return-conditioning/sharper-alignment",),
    remark="Its conditions were read in part; the constant 2 is not needed.",
)
exact_alignment = Theorem(
    label="return-conditioning/exact-alignment",
    title="In a deterministic process every target that is covered is attained exactly",
    relation=Eq(J, z),
    source=Source(RCSL, "Corollary 2, for one target", Provenance.RECALLED),
    given=(COVERED, DETERMINISTIC),
    proof="Each action of beta_z keeps the remaining target within reach of some action.",
    uses=("return-conditioning/sharper-alignment",),
)

NEAR_REWARD = Assumption(
    "near-reward",
    "The density of a reward is at most epsilon_r further than delta from its expected value, and "
    "the next state is another than the expected one with probability at most epsilon_s.",
)
BLIND = Assumption("blind", "beta does not depend on past rewards, given past states and actions.")
SPREAD = Assumption(
    "finite-density", "C is the supremum over all contexts of the target's density."
)
SMOOTH = Assumption(
    "smooth", "In no context do densities within 2 delta of R differ by more than c."
)
NO_RADIUS = Assumption("zero-radius", "delta = 0: rewards are their expected values but for noise.")

R = Quantity("R", "the target return", Domain.NONNEGATIVE)
J_beta = Quantity("J_beta", "return of the conditioned policy", Domain.NONNEGATIVE, r"J(\beta_R)")
eps_r = Quantity("eps_r", "density of stray rewards, at most 1", Domain.PROBABILITY, r"\epsilon_r")
eps_s = Quantity("eps_s", "chance of a stray state", Domain.PROBABILITY, r"\epsilon_s")
delta = Quantity("delta", "radius of expected rewards", Domain.PROBABILITY, r"\delta")
C = Quantity("C", "largest density of R in a context", Domain.POSITIVE, "C_R")
c = Quantity(
    "c",
    "change of density within 2 delta, among 0 to H (N - 1)/N",
    Domain.NONNEGATIVE,
    r"c_R(\delta)",
)
C_bar = Quantity("C_bar", "the larger of C and 1", Domain.POSITIVE, r"\bar C_R")
eta = Quantity("eta", "density of R at the start", Domain.POSITIVE, r"\eta_R")
eps = eps_r + eps_s
_ALL = (BOUNDED, COVERED, NEAR_REWARD, BLIND, SPREAD, SMOOTH)
_LATTICE = " On the reward lattice, with one coordinate."
step = Quantity("step", "what a step before the last may cost", Domain.NONNEGATIVE, r"\ell")
_PRINTED = (2 * C_bar * (H**2 * eps + delta) + H**2 * c) / eta
B = Quantity("B", "the right side of density-sharper", Domain.NONNEGATIVE)

density_sharper = Theorem(
    label="return-conditioning/density-sharper",
    title="The bias of conditioning where returns have densities, as its proof gives it",
    relation=Both(
        Le(Abs(J_beta - R), ((H - 1) * step + 2 * delta * C + (C + 1) * eps_r) / eta),
        Eq(step, 2 * H * C * eps + H * c),
    ),
    source=Source(OURS, "sharpens Theorem 5", Provenance.DERIVED),
    given=_ALL,
    proof=(
        "With phi = f(R | x) |V(x) - remaining target|: Bayes' rule turns beta_R into beta, the "
        "likely outcomes replace the law twice, H epsilon C each, and a reward that is off by at "
        "most 2 delta shifts the density by at most c. The last step costs 2 delta C + (C + 1) "
        "epsilon_r."
    ),
    remark="A stray reward has probability at most epsilon_r: N points of measure 1/N." + _LATTICE,
)
density_bias = Theorem(
    label="return-conditioning/density-bias",
    title="The bias of conditioning where returns have densities",
    relation=Both(Le(Abs(J_beta - R), B), Le(B, _PRINTED)),
    source=Source(PLS, "Theorem 5, on a lattice", Provenance.DERIVED),
    given=_ALL,
    proof="(H - 1) 2 H C eps + (C + 1) eps_r <= 2 max(C, 1) H^2 eps.",
    uses=("return-conditioning/density-sharper",),
    remark=(
        "The display was not legible; the form is that of the bias in Theorem 4. In between stands "
        "what the proof gives, so that both steps are checked where they are sharp." + _LATTICE
    ),
)
density_exact_rewards = Theorem(
    label="return-conditioning/density-exact-rewards",
    title="Without a radius neither blindness nor smoothness is needed",
    relation=Both(Le(Abs(J_beta - R), B), Le(B, 2 * C_bar * H**2 * eps / eta)),
    source=Source(PLS, "Corollary 1, on a lattice", Provenance.DERIVED),
    given=(BOUNDED, COVERED, NEAR_REWARD, SPREAD, NO_RADIUS),
    proof="The shift of a reward within its ball is zero.",
    uses=("return-conditioning/density-sharper",),
    remark="States may hold past rewards, so that beta depends on them." + _LATTICE,
)
K = Quantity("K", "Hoelder constant of the densities", Domain.NONNEGATIVE)
omega = Quantity("omega", "Hoelder exponent in (0, 1]", Domain.POSITIVE, r"\omega")
density_smooth = Theorem(
    label="return-conditioning/density-smooth",
    title="Where densities are Hoelder continuous, K + 1 and 2 K delta^omega stand for C and c",
    relation=Both(Le(C_bar, K + 1), Le(c, 2 * K * delta**omega)),
    source=Source(PLS, "Corollary 2 and Lemma 3, on a lattice", Provenance.DERIVED),
    given=(BOUNDED, COVERED, BLIND),
    proof="N lattice points within 1 of R have mean density at most 1, so f(R) <= 1 + K.",
    remark=(
        "So that density-bias reads (2 (K + 1) (H^2 eps + delta) + 2 K H^2 delta^omega)/eta. K is "
        "asked for at distances of at most 1, or 2 delta if that is more, only." + _LATTICE
    ),
)

ABSOLUTE = Assumption("absolutely-continuous", "The model takes all actions that beta_R takes.")
kl = Quantity(
    "eps_R", "mean divergence of a step, under beta_R", Domain.NONNEGATIVE, r"\varepsilon_R"
)
J_model = Quantity("J_model", "return of the model", Domain.NONNEGATIVE, r"J(\pi_{\theta^*,R})")
_READING = (
    "The expectation in the regularised risk, display (18), was not legible: here it is under "
)
model_bias_sharper = Theorem(
    label="return-conditioning/model-bias-sharper",
    title="A model within eps_R of the conditioned policy loses at most H^(3/2) sqrt(eps_R/2)",
    relation=Le(Abs(J_model - J_beta), H ** Rational(3, 2) * sqrt(kl / 2)),
    source=Source(OURS, "sharpens Theorem 6, first reading", Provenance.DERIVED),
    given=(BOUNDED, COVERED, ABSOLUTE),
    proof="The chain rule of the divergence, and Pinsker's inequality on whole episodes.",
    remark="Sharp for each H: the first action decides all rewards.",
)
model_bias = Theorem(
    label="return-conditioning/model-bias",
    title="A model within eps_R of the conditioned policy loses at most H^2 sqrt(eps_R/2)",
    relation=Le(Abs(J_model - J_beta), H**2 * sqrt(kl / 2)),
    source=Source(PLS, "Theorem 6, where A14 averages under beta_R", Provenance.DERIVED),
    given=(BOUNDED, COVERED, ABSOLUTE),
    proof="Performance difference, Pinsker in each step, Jensen; or the sharper form.",
    uses=("return-conditioning/model-bias-sharper",),
    known=(Le(Abs(J_model - J_beta), H ** Rational(3, 2) * sqrt(kl / 2)),),
    remark=_READING + "the conditioned policy itself, at the target R. Which one is meant is open.",
)
kl_pooled = Quantity(
    "eps_pool", "mean divergence of a step, over the data", Domain.NONNEGATIVE, r"\bar\varepsilon"
)
share_R = Quantity("share", "share of the data that has the target", Domain.PROBABILITY)
model_bias_pooled = Theorem(
    label="return-conditioning/model-bias-pooled",
    title="A model within eps_R on average over all returns loses at most H^2 sqrt(eps_R/2)",
    relation=Le(Abs(J_model - J_beta), H**2 * sqrt(kl_pooled / 2)),
    source=Source(
        "holdfast", f"Theorem 6 of {PLS} under another reading of A14", Provenance.DERIVED
    ),
    given=(BOUNDED, COVERED, ABSOLUTE),
    standing=Standing.FALSE_UNPRINTED,
    proof="None: averaged over returns, a rare target may be modelled badly at little cost.",
    remark=(
        _READING + "the law of the data and their returns. Not called an error of the source, "
        "which may mean the first reading: that one is return-conditioning/model-bias."
    ),
    refutation=Refutation(
        "The text was read on 2026-11-29; display (18) was not legible, and what is legible points "
        "both ways: the risk carries no R, but the proof of Theorem 6 needs the expectation at a "
        "fixed R.",
        "It strikes where the model is poor at a rare target, which are those that one asks for.",
        (
            Printed(
                "Rewards in [0, 1], a target that the behaviour policy has at times.",
                "One step, the reward is the action, 0 or 1; the target 1 has a share of 1/100.",
                Gt(share_R, 0),
            ),
            Printed(
                "The risk is finite and small.",
                "The model is exact at 0 and takes action 1 with probability 1/100 at 1.",
                Lt(kl_pooled, Rational(1, 20)),
                here=True,
            ),
        ),
    ),
)

n = Quantity("n", "episodes in the data", Domain.TRIALS)
n_var = Quantity("n_var", "n E (J(fitted) - J(best))^2", Domain.NONNEGATIVE, r"n\,\mathrm{mse}_n")
U = Quantity("U", "H^-2 dJ/dtheta at the best parameter", latex="U")
I = Quantity("I", "Hessian of the mean loss of a step", Domain.POSITIVE, "I")  # noqa: E741
Sigma = Quantity("Sigma", "variance of an episode's mean score", Domain.NONNEGATIVE, r"\Sigma")
rest = Quantity("rest", "what curvature of J adds, times n")
_SANDWICH = H**4 * U**2 * Sigma / I**2
INTERIOR = Assumption("interior", "The expected likelihood is largest at one inner parameter.")
EPISODES = Assumption("episodes", "Episodes are independent; steps of one need not be.")
fluctuation = Theorem(
    label="return-conditioning/fluctuation",
    title="How a fitted policy fluctuates with its data: the sandwich, and what vanishes",
    relation=Eq(n_var, _SANDWICH + rest / n),
    source=Source(PLS, "Theorem 7 at one target, for a binomial head", Provenance.DERIVED),
    given=(INTERIOR, EPISODES),
    proof=(
        "The estimate is a mean of independent Y, and J a polynomial a + b p + c p^2 of it: rest = "
        "2 b c m3 + c^2 (3 (n - 1) m2^2 + m4)/n in central moments of Y; b^2 m2 is the sandwich."
    ),
    remark=(
        "The source's Sigma, U and k are displays that were not legible. Asymptotic there; for "
        "this head exact at every n, so that the limit is checked without a tolerance."
    ),
)
J_hat = Quantity(
    "J_hat", "return of the fitted policy", Domain.NONNEGATIVE, r"J(\pi_{\hat\theta,R})"
)
moved = Quantity("moved", "abs(J(fitted) - J(best model))", Domain.NONNEGATIVE, r"\Delta_n")
decomposition = Theorem(
    label="return-conditioning/decomposition",
    title="A fitted policy misses its target by conditioning, by its model and by its data",
    relation=Le(Abs(J_hat - R), B + H**2 * sqrt(kl / 2) + moved),
    source=Source(PLS, "Theorem 4, with A14 under beta_R, on a lattice", Provenance.DERIVED),
    given=(*_ALL, ABSOLUTE),
    proof="The triangle inequality; B is at most the right side of Theorem 5.",
    uses=(
        "return-conditioning/density-bias",
        "return-conditioning/model-bias",
        "return-conditioning/fluctuation",
    ),
    remark="The third term is of order n^(-1/2), its size that of the sandwich." + _LATTICE,
)
