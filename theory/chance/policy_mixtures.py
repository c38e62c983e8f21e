r"""Mixtures of whole policies: one coin at the start of an episode, and what samples can say.

Notation.  A class of policies theta, each with its return J (UN-normalised) and the probability F
that all T steps of an episode are safe; alpha bounds the risk of the mixture, ``F >= 1 - alpha``.
The coin is tossed once in an episode: that is what makes J and F of a mixture the means of those of
its parts.

Main results: `two_policies`, `strict_gain`, `components`, `few_weights`, `episode_flip`,
`step_flip`, `selection_chance`, `selection_divergence`.
"""

from sympy import exp

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Gt, Le, Lt
from ..theorem import Assumption, Printed, Provenance, Refutation, Source, Standing, Theorem
from .flipping import FIDELITY, PAPER

FEASIBLE = Assumption("feasible", "Some policy of the class is safe enough.")
STRICTLY_CONVEX = Assumption(
    "strictly-convex", "The best return of one policy is strictly convex in the level around alpha."
)
ABOVE = Assumption("above-minimum", "The level alpha exceeds the least level of the class.")

J_mix = Quantity(
    "J_mix",
    "best return of a mixture",
    latex=r"J^{\rm mix}_\alpha",
    program=(
        r"\max_\nu\mathbb E_{\theta\sim\nu}J(\theta)\quad\text{subject to}"
        r"\quad \mathbb E_{\theta\sim\nu}F(\theta)\ge 1-\alpha"
    ),
)
J_pair = Quantity(
    "J_pair",
    "best return of a mixture of two",
    latex=r"J^{\rm pair}_\alpha",
    program=(
        r"\max_{\theta_1,\theta_2,\,w\in[0,1]}wJ(\theta_1)+(1-w)J(\theta_2)"
        r"\quad\text{subject to}\quad wF(\theta_1)+(1-w)F(\theta_2)\ge 1-\alpha"
    ),
)
two_policies = Theorem(
    label="policy-mixtures/two-policies",
    title="Two policies of a class are as good as all of them",
    relation=Eq(J_mix, J_pair),
    source=Source(PAPER, "Theorem 6, first part", Provenance.READ),
    given=(FEASIBLE,),
    proof="The pairs (F, J) of mixtures are a planar convex hull; its edge is met by two vertices.",
    uses=("flipping/two-atoms",),
    remark="The source defines the value of mixtures with a minimum; a maximum is meant.",
)

J_single = Quantity(
    "J_single",
    "best return of one policy at alpha",
    latex=r"J_\alpha",
    program=r"\max_\theta J(\theta)\quad\text{subject to}\quad F(\theta)\ge 1-\alpha",
)
J_minus = Quantity("J_minus", "the same at alpha - h", latex=r"J_{\alpha-h}")
J_plus = Quantity("J_plus", "the same at alpha + h", latex=r"J_{\alpha+h}")
strict_gain = Theorem(
    label="policy-mixtures/strict-gain",
    title="Where the best return is strictly convex in the level, two policies beat one",
    relation=Both(
        Ge(J_pair, (J_minus + J_plus) / 2),
        Gt((J_minus + J_plus) / 2, J_single),
    ),
    source=Source(PAPER, "Theorem 6, second part", Provenance.READ),
    given=(FEASIBLE, STRICTLY_CONVEX),
    proof="Mix the best policies of the levels alpha - h and alpha + h, half each.",
    uses=("policy-mixtures/two-policies",),
)

J_first = Quantity("J_1", "return of the first component", latex="J(\\theta_1)")
J_second = Quantity("J_2", "return of the second component", latex="J(\\theta_2)")
best_first = Quantity(
    "best_1",
    "best return at the first's own risk",
    latex=r"J_{1-F(\theta_1)}",
    program=r"\max_\theta J(\theta)\quad\text{subject to}\quad F(\theta)\ge F(\theta_1)",
)
best_second = Quantity(
    "best_2",
    "best return at the second's own risk",
    latex=r"J_{1-F(\theta_2)}",
    program=r"\max_\theta J(\theta)\quad\text{subject to}\quad F(\theta)\ge F(\theta_2)",
)
components = Theorem(
    label="policy-mixtures/components",
    title="Each part of an optimal pair is optimal for its own risk",
    relation=Both(Eq(J_first, best_first), Eq(J_second, best_second)),
    source=Source(PAPER, "Proposition 4", Provenance.READ),
    given=(FEASIBLE,),
    proof="A better policy of the same risk would improve the mixture.",
    uses=("policy-mixtures/two-policies",),
    remark="For parts of positive weight. The source writes theta_1 for both.",
)

n_weights = Quantity("n_weights", "policies of positive weight", Domain.COUNT, r"|\nu|_0")
J_program = Quantity(
    "J_lp",
    "value of the linear program",
    latex=r"\mathcal J",
    program=r"\max_{\nu\in\Delta_S}\sum_i\nu_iJ(\theta_i)\quad\text{subject to}\quad "
    r"\sum_i\nu_iF(\theta_i)\ge 1-\alpha",
)
few_weights = Theorem(
    label="policy-mixtures/few-weights",
    title="The program over S trained policies has an optimum with two positive weights",
    relation=Both(Le(n_weights, 2), Eq(J_program, J_pair)),
    source=Source(PAPER, "Theorem 7, first part", Provenance.READ),
    given=(FEASIBLE,),
    proof="A linear program with two rows has a basic solution.",
    uses=("policy-mixtures/two-policies",),
)

failure = Quantity("failure", "probability that it fails", Domain.PROBABILITY, r"\Pr(\text{fails})")

w_first = Quantity("w", "probability of the first policy", Domain.PROBABILITY, "w")
F_first = Quantity("F_1", "safety of the first policy", Domain.PROBABILITY, r"F(\pi_1)")
F_second = Quantity("F_2", "safety of the second policy", Domain.PROBABILITY, r"F(\pi_2)")
F_flip = Quantity("F", "safety of the flip", Domain.PROBABILITY, "F")
J_flip = Quantity("J", "return of the flip", latex="J")
R_first = Quantity("R_1", "return of the first policy", latex=r"J(\pi_1)")
R_second = Quantity("R_2", "return of the second policy", latex=r"J(\pi_2)")
episode_flip = Theorem(
    label="policy-mixtures/episode-flip",
    title="One coin for the whole episode mixes safety and return",
    relation=Both(
        Eq(F_flip, w_first * F_first + (1 - w_first) * F_second),
        Eq(J_flip, w_first * R_first + (1 - w_first) * R_second),
    ),
    source=Source(f"holdfast, for {PAPER}", "repairs Algorithm 2", Provenance.DERIVED),
    standing=Standing.REPAIRED,
    proof="Condition on the coin.",
    uses=("cmdp/splitting",),
    remark="Repair: the coin is tossed once in an episode, not once in a step.",
)
step_flip = Theorem(
    label="policy-mixtures/step-flip",
    title="One coin for each step, as Algorithm 2 tosses it, mixes safety",
    relation=Eq(F_flip, w_first * F_first + (1 - w_first) * F_second),
    source=Source(
        "holdfast", f"Algorithm 2 of {PAPER} as it runs, with Theorems 6, 7", Provenance.DERIVED
    ),
    standing=Standing.FALSE_UNPRINTED,
    proof="None is printed: Theorems 6 and 7 toss one coin an episode, the algorithm one a step.",
    remark=(
        "Not a printed theorem, but what the algorithm would need. False: in a corridor left, left "
        "is safe, and right, right; but left, right is not."
    ),
    refutation=Refutation(
        FIDELITY + " Algorithm 2 was read; that it mixes safety is printed nowhere. The paper's "
        "program was not run.",
        "It strikes the algorithm wherever the two policies do not agree on the way: there it "
        "does not do what the two theorems promise of the mixture that it is given.",
        (
            Printed(
                "Algorithm 2 draws a number in [0, 1] in each step and acts with the first policy "
                "if it is at most the first weight, else with the second.",
                "So does the stationary policy that is evaluated: its law in each state is the "
                "mean of the two.",
            ),
            Printed(
                "Theorems 6 and 7 are about the mean of the safeties and returns of two policies.",
                "Both policies are safe with certainty, so the mean of their safeties is 1.",
                Eq(w_first * F_first + (1 - w_first) * F_second, 1),
                here=True,
            ),
        ),
    ),
)

N_samples = Quantity("N", "samples of each policy", Domain.TRIALS, "N")
alpha_s = Quantity("alpha_s", "level that must hold", Domain.NONNEGATIVE, r"\alpha_s")
alpha_t = Quantity(
    "alpha_t", "level that the estimate meets", Domain.NONNEGATIVE, r"\tilde\alpha_s"
)
gamma_c = Quantity("gamma_c", "discount of the unsafe states", Domain.DISCOUNT, r"\gamma_c")
_FIXED = exp(-2 * N_samples * (alpha_s - alpha_t) ** 2 * (1 - gamma_c) ** 2)
alpha = Quantity("alpha", "level of the chance constraint", Domain.PROBABILITY, r"\alpha")
risk = Quantity("risk", "risk of each policy that may be chosen wrongly", Domain.PROBABILITY)
TIGHTENED = Assumption("tightened", "The estimate has to meet a smaller level than must hold.")
INDEPENDENT = Assumption("independent", "Each policy is judged by N independent episodes.")
_EACH = (
    " That samples of different policies are independent is our reading: only the law of the "
    "samples of each policy is printed."
)
_LEVELS = Printed(
    "The estimate is held to a level that is smaller than the one that must hold.",
    "Both levels are given; the first is the smaller one.",
    Lt(alpha_t, alpha_s),
)
_COUNTED = Printed(
    "Each policy of the class is judged by the mean over N samples of its own, and of those that "
    "meet the smaller level the one of the best return is taken.",
    "The samples are counted exactly; the policies that must not be taken have the larger returns.",
)
_CHANCE = Printed(
    "Feasible means: within the chance constraint, a risk of at most alpha from each state.",
    "Every other policy has a one-step risk of more than alpha, and T = 1.",
    Gt(risk, alpha),
)
selection_chance = Theorem(
    label="policy-mixtures/selection-chance",
    title="The policy chosen by its estimated cost is within the chance constraint that often",
    relation=Le(failure, _FIXED),
    source=Source(PAPER, "Theorem 8, with a distance D that is bounded", Provenance.READ),
    given=(TIGHTENED, INDEPENDENT),
    standing=Standing.REFUTED,
    proof="As printed: by the first sentence of its proof.",
    uses=("policy-mixtures/selection-bound",),
    remark=(
        "False where the distance of the step is bounded, such as total variation, so that the "
        "step may reach every policy. Where it is the KL divergence the case does not exist, "
        "see policy-mixtures/selection-divergence. Repaired by policy-mixtures/union-bound, for a "
        "finite class."
    ),
    refutation=Refutation(
        FIDELITY + _EACH + " The distance D of the step is left open there.",
        "An extreme case: no tightened risk is allowed at all, and a single sample judges each of "
        "forty policies. Nearer to 1 than gamma_c = 0.99994 it takes more of them, for the bound "
        "promises less and less: there is a class for each discount, and not one for all. One "
        "model for all discounts is in policy-mixtures/selection-divergence.",
        (
            _LEVELS,
            _COUNTED,
            _CHANCE,
            Printed(
                "The policy before the step is feasible, and the step is at most delta in D.",
                "The policy before the step has no risk and keeps the state where it is; D is at "
                "most 1, and delta is 1.",
            ),
            Printed(
                "The discount gamma_c is close enough to 1, and T is small enough.",
                "T = 1; the bound is exceeded at 1/2 and at 9/10, and by forty policies wherever "
                "(3/5)^40 < 1 - exp(-8/25 (1 - gamma_c)^2), such as at 9999/10000. Fewer are "
                "drawn, too, and with some of those it is not exceeded.",
            ),
        ),
    ),
)
H_before = Quantity("H", "discounted cost before the step", Domain.NONNEGATIVE, r"H(\theta_k)")
failure_least = Quantity(
    "failure_least",
    "lower bound on the probability that it fails",
    Domain.PROBABILITY,
    r"\underline p",
)
selection_divergence = Theorem(
    label="policy-mixtures/selection-divergence",
    title="A policy chosen by its estimated cost meets the constraint that often, D being KL",
    relation=Le(failure_least, _FIXED),
    source=Source(PAPER, "Theorem 8, with the KL divergence for D", Provenance.READ),
    given=(TIGHTENED, INDEPENDENT),
    standing=Standing.REFUTED,
    proof="As printed: by the first sentence of its proof.",
    uses=("policy-mixtures/selection-bound",),
    remark=(
        "False at every discount that was tried, by one model: x with one safe and four risky "
        "actions. With gamma_c = 1 the bound would say nothing at all. Repaired by "
        "policy-mixtures/union-bound, for a finite class."
    ),
    refutation=Refutation(
        FIDELITY + _EACH + " The distance D of the step is left open there, and so is its "
        "direction: read here as that of the new policy from the one before, which is finite; the "
        "other one is infinite, and under it this is not a counterexample.",
        "It strikes small classes and few samples: N is the root of 1/(1 - gamma_c), for which the "
        "bound itself promises little. It is not a case of many samples.",
        (
            _LEVELS,
            _COUNTED,
            _CHANCE,
            Printed(
                "The step is at most delta in D from the policy before it.",
                "The policy before the step takes each risky action with probability 1/40, so the "
                "divergence of every policy of the class from it is at most log 40 = delta.",
            ),
            Printed(
                "The policy before the step meets its cost, H of it and the linearised cost of the "
                "chosen policy being within the level.",
                "H is 6/100 gamma_c before the step, and taking the same policy again adds 6/100, "
                "within the level 2/5; a risky policy adds 3/5. One that shows no unsafe sample is "
                "accepted, since H alone is within the smaller level.",
                Le(H_before, alpha_t),
            ),
            Printed(
                "The discount gamma_c is close enough to 1, and T is small enough.",
                "T = 1 and one model at 1/2, 9/10, 99/100 and 9999/10000. Read with a bound on "
                "gamma_c below 1 and one on T above 1; otherwise the theorem is empty.",
            ),
        ),
    ),
)
