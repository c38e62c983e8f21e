r"""Two scores, one multiplier: HIPO's problem, and properties of its Algorithm 1.

Responses have scores u (user) and s (system) in [0, 1].  E u - beta KL is to be largest subject to
J = E s >= tau; pi_lam is the reference tilted by (u + lam s)/beta, and D(lam) the dual value.
Algorithm 1 standardises each score within a group of G responses, adds lam times the one to the
other, and moves lam by the shortfall.  HIPO prints no theorem; what follows are properties of its
problem and of its algorithm under the conditions that are listed.  What the multiplier's path says
of the violations on the way is ``primal-dual/telescoping`` and its neighbours.

Main results: `dual`, `rate`, `lock_step`, `exchange`, `kl_gradient`, `one_prompt`; false under one
reading: `tied`.
"""

from sympy import Rational

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Printed, Provenance, Refutation, Source, Standing, Theorem
from .stepwise import beta, lam

PAPER = "HIPO (hierarchical instructions as a constrained problem)"


def _on(place: str) -> Source:
    return Source("holdfast", f"on {PAPER}, {place}", Provenance.DERIVED)


SCORES = Assumption("scores", "Scores lie in [0, 1].")
FREE = Assumption("free", "The policy may be any; the level is met by some policy with a margin.")
tau = Quantity("tau", "level of the system's score", Domain.NONNEGATIVE, r"\tau")
by = Quantity("by", "by how much one multiplier is larger", Domain.POSITIVE, r"(\mu-\lambda)")
J_low = Quantity("J_low", "J at the smaller multiplier", Domain.NONNEGATIVE, r"J(\lambda)")
J_high = Quantity("J_high", "J at the larger one", Domain.NONNEGATIVE, r"J(\mu)")
D_low = Quantity("D_low", "dual value at the smaller multiplier", latex=r"D(\lambda)")
D_high = Quantity("D_high", "dual value at the larger one", latex=r"D(\mu)")
dual = Theorem(
    label="group-primal-dual/dual",
    title="The dual is convex, with the shortfall as slope, and of curvature 1/(4 beta) at most",
    relation=Both(
        Le(by * (J_low - tau), D_high - D_low),
        Le(D_high - D_low, by * (J_high - tau)),
        Le(J_high - J_low, by / (4 * beta)),
    ),
    source=_on("the dual of its problem"),
    given=(SCORES,),
    proof="D' = J - tau and D'' = E Var(s)/beta; a score in [0, 1] has variance 1/4 at most.",
    uses=("tilts/gibbs",),
    remark="Strong duality is stepwise/duality, the bound on the multiplier "
    "stepwise/multiplier-bound.",
)

eta = Quantity("eta", "step of the multiplier", Domain.POSITIVE, r"\eta_\lambda")
D_before = Quantity("D_before", "dual value before a step", latex=r"D(\lambda_t)")
D_next = Quantity("D_next", "dual value after it", latex=r"D(\lambda_{t+1})")
before = Quantity("before", "multiplier before a step", Domain.NONNEGATIVE, r"\lambda_t")
after = Quantity("after", "multiplier after it", Domain.NONNEGATIVE, r"\lambda_{t+1}")
EXACT = Assumption("exact", "The policy is optimal for the multiplier at every step.")
SHORT = Assumption("short", "eta <= 8 beta.")
descent = Theorem(
    label="group-primal-dual/descent",
    title="A step of the multiplier lowers the dual if it is shorter than 8 beta",
    relation=Le(D_next, D_before - (1 / eta - 1 / (8 * beta)) * (after - before) ** 2),
    source=_on("step 9 of Algorithm 1"),
    given=(SCORES, EXACT),
    proof="Curvature 1/(4 beta) at most; the step is projected.",
    uses=("group-primal-dual/dual",),
    remark="With the listed eta = 7/100 and beta = 1/20: 8 beta is 2/5.",
)
nearer = Theorem(
    label="group-primal-dual/nearer",
    title="No such step leads away from the optimal multiplier",
    relation=Le((after - lam) ** 2, (before - lam) ** 2),
    source=_on("step 9 of Algorithm 1"),
    given=(SCORES, EXACT, SHORT),
    proof="A gradient step of at most two over the curvature is no expansion; nor is projection.",
    uses=("group-primal-dual/dual",),
    remark="Locally steps of up to 2/D'' are stable; longer ones end in a cycle.",
)
apart = Quantity(
    "apart", "distance of first and optimal multiplier", Domain.NONNEGATIVE,
    r"|\lambda_0-\lambda^\star|",
)  # fmt: skip
K = Quantity("K", "steps", Domain.TRIALS, "K")
D_last = Quantity("D_last", "dual value at the last multiplier", latex=r"D(\lambda_K)")
D_star = Quantity(
    "D_star",
    "least dual value",
    latex=r"D(\lambda^\star)",
    program=(
        r"\min_{\lambda\ge 0}\max_\pi\ \mathbb E_\pi(u+\lambda(s-\tau))"
        r"-\beta\,\mathrm{KL}(\pi\|\pi_{\rm ref})"
    ),
)
rate = Theorem(
    label="group-primal-dual/rate",
    title="Steps of 4 beta at most bring the dual value within one over their number",
    relation=Le(D_last - D_star, apart**2 / (2 * eta * K)),
    source=_on("step 9 of Algorithm 1"),
    given=(SCORES, EXACT, Assumption("shorter", "eta <= 4 beta.")),
    proof="Projected gradient descent on a convex function of curvature 1/(4 beta).",
    uses=("group-primal-dual/descent",),
)

J_free = Quantity("J_free", "J of the optimum without a constraint", Domain.NONNEGATIVE, "J(0)")
spare = Quantity("spare", "what it has above the level", Domain.NONNEGATIVE, r"[J(0)-\tau]_+")
idle = Theorem(
    label="group-primal-dual/idle",
    title="The multiplier is 0 just where the unconstrained optimum meets the level",
    relation=Both(Le(tau - J_free, lam / (4 * beta)), Eq(lam * spare, 0)),
    source=_on("the text on its Figure 3"),
    given=(SCORES, FREE),
    proof="J increases with the multiplier, by 1/(4 beta) at most.",
    uses=("group-primal-dual/dual",),
    remark="About the exact problem. Runs in the paper need not be at its optimum.",
)

G = Quantity("G", "responses of a group", Domain.TRIALS, "G")
k = Quantity("k", "of them the one that the user prefers", Domain.TRIALS, "k")
a_user = Quantity("a_user", "its standardised user score", Domain.POSITIVE, "A_{user}")
a_system = Quantity("a_system", "its standardised system score", latex="A_{sys}")
drift = Quantity("drift", "expected update of its logit", latex=r"\dot\theta")
drift_unit = Quantity(
    "drift_unit", "the same for scores 1 and 0 of the user alone", latex=r"\dot\theta_1"
)
OPPOSED = Assumption("opposed", "Two responses, ranked oppositely by the two scores.")
SKIPPED = Assumption("skipped", "Groups without two different responses are skipped.")
lock_step = Theorem(
    label="group-primal-dual/lock-step",
    title="Standardised within groups, two opposed scores differ by their sign alone",
    relation=Both(
        Eq(a_user**2, (G - k) / k),
        Eq(a_system, -a_user),
        Eq(drift, (1 - lam) * drift_unit),
    ),
    source=_on("steps 4 to 6 of Algorithm 1"),
    given=(OPPOSED, SKIPPED),
    proof="Standardising two values loses how far they are apart.",
    remark="So all such prompts of equal logits move alike, whatever an exchange costs there, and "
    "the multiplier is a switch at 1.",
)

J_lock = Quantity(
    "J_lock", "user score of the lock-step policy", Domain.NONNEGATIVE, r"J_{user}^{lock}"
)
J_best = Quantity(
    "J_best",
    "largest user score",
    Domain.NONNEGATIVE,
    r"J_{user}^\star",
    program=r"\max_\pi\mathbb E_\pi u\quad\text{subject to}\quad \mathbb E_\pi s\ge\tau",
)
s_lock = Quantity("s_lock", "system score of the lock-step policy", Domain.NONNEGATIVE, "J^{lock}")
s_best = Quantity("s_best", "system score of the optimum", Domain.NONNEGATIVE, r"J^\star")
dual_best = Quantity(
    "dual_best",
    "least dual value",
    Domain.NONNEGATIVE,
    r"D^\star",
    program=r"\min_{\lambda\ge 0}\max_\pi\ \mathbb E_\pi(u+\lambda(s-\tau))",
)
u_first = Quantity("u_first", "user score of always the first", Domain.NONNEGATIVE, "U_1")
u_second = Quantity("u_second", "user score of always the second", Domain.NONNEGATIVE, "U_2")
s_first = Quantity("s_first", "system score of always the first", Domain.NONNEGATIVE, "S_1")
by_second = Quantity(
    "by_second", "system score of always the second, less that", Domain.POSITIVE, "(S_2-S_1)"
)
q = Quantity("q", "(tau - S_1)/(S_2 - S_1)", Domain.PROBABILITY, "q")
BARE = Assumption("bare", "beta = 0, any policy, equal first logits, expected updates.")
exchange = Theorem(
    label="group-primal-dual/exchange",
    title="Moving in lock-step to the level costs user score where exchange rates differ",
    relation=Both(
        Eq(J_lock, (1 - q) * u_first + q * u_second),
        Eq(s_first + q * by_second, tau),
        Eq(s_lock, tau),
        Eq(s_best, tau),
        Eq(J_best, dual_best),
        Le(J_lock, J_best),
    ),
    source=_on("Algorithm 1"),
    given=(OPPOSED, SKIPPED, BARE),
    proof="Lock-step gives the second response with one probability q everywhere and is feasible; "
    "the optimum gives up user score where it buys most.",
    uses=("group-primal-dual/lock-step",),
    remark="39/40 against 23/44 at level 3/4, 391/400 against 251/440 at the printed 7/10. A "
    "property of Algorithm 1 under these conditions. Subtracting means alone repairs it.",
)

k1 = Quantity("k1", "expected update by beta log(pi/pi_ref) in the loss", latex=r"\dot\theta_{k1}")
in_reward = Quantity(
    "in_reward", "expected update by the same in the reward", latex=r"\dot\theta_{KL}"
)
true_kl = Quantity("true_kl", "gradient of beta KL", latex=r"\beta\nabla\mathrm{KL}")
ON_POLICY = Assumption("on-policy", "Responses are samples of the policy itself, one update each.")
kl_gradient = Theorem(
    label="group-primal-dual/kl-gradient",
    title="The divergence in the loss has no expected effect on the policy's own samples",
    relation=Both(Eq(k1, 0), Eq(in_reward, true_kl)),
    source=_on("steps 7 and 8 of Algorithm 1"),
    given=(ON_POLICY,),
    proof="The mean score is 0; in the reward its log-ratio weights the score.",
    uses=("group-updates/estimators",),
    remark="With temperature 0.7 and top-p 0.9, as listed, samples are not the policy's own, and "
    "the mean is another number. The released code was not seen.",
)

n_random = Quantity("n_random", "prompts with more than one response", Domain.COUNT, "N")
one_prompt = Theorem(
    label="group-primal-dual/one-prompt",
    title="Without a divergence some optimum randomises on one prompt at most",
    relation=Both(Le(n_random, 1), Eq(J_best, dual_best)),
    source=_on("its problem at beta = 0"),
    given=(FREE,),
    proof="One constraint: of two best policies at the optimal multiplier one prompt is mixed.",
    uses=("cmdp/randomisations",),
)

share = Quantity("share", "probability of a prompt", Domain.PROBABILITY, r"\rho(x)")
own = Quantity("own", "system score of that prompt", Domain.PROBABILITY, "J_x")
J = Quantity("J", "system score over all prompts", Domain.NONNEGATIVE, "J")
average = Theorem(
    label="group-primal-dual/average",
    title="An average promises a single prompt what the others cannot have made up for",
    relation=Ge(share * own, J - 1 + share),
    source=_on("its problem: one constraint for all prompts"),
    given=(SCORES,),
    proof="The other prompts have at most 1 each.",
    remark="Attained. Of two prompts with scores 1 and 0 the average is 1/2.",
)

primal = Quantity(
    "primal",
    "largest user score in the class",
    Domain.NONNEGATIVE,
    "P",
    program=(
        r"\max_\theta\mathbb E_{\pi_\theta}u\quad\text{subject to}"
        r"\quad \mathbb E_{\pi_\theta}s\ge\tau"
    ),
)
root = Quantity("root", "square root of the level", Domain.PROBABILITY, r"\sqrt\tau")
dual_tied = Quantity(
    "dual_tied",
    "least dual value in the class",
    Domain.NONNEGATIVE,
    "D",
    program=r"\min_{\lambda\ge 0}\max_\theta\ \mathbb E_{\pi_\theta}(u+\lambda(s-\tau))",
)
tied = Theorem(
    label="group-primal-dual/tied",
    title="There is no duality gap whatever class the policy is taken from",
    relation=Eq(primal, dual_tied),
    source=Source(PAPER, "the sentence on the duality gap, read for any class", Provenance.DERIVED),
    standing=Standing.FALSE_UNPRINTED,
    proof="None: the class need not be convex.",
    uses=("stepwise/duality",),
    remark="The sentence names no class. Read for all policies it is true.",
    refutation=Refutation(
        "Compared on 2026-11-29; one sentence, without a condition on the class and without proof.",
        "It strikes restricted classes only, here one parameter for two tokens.",
        (
            Printed("Policies have a parameter.", "Two tokens, each a with probability p."),
            Printed("Scores are in [0, 1], beta >= 0.", "User: aa, system: bb; beta = 0."),
            Printed("The system's score has a level.", "It is 1/4.",
                    Eq(root, Rational(1, 2)), here=True),
            Printed("The problem is feasible.", "p = 1/2 meets it.",
                    Eq(primal, Rational(1, 4)), here=True),
        ),
    ),
)  # fmt: skip

J_run = Quantity("J_run", "user score late in runs, as printed", Domain.NONNEGATIVE, r"\bar J")
J_plain = Quantity("J_plain", "the same, means subtracted alone", Domain.NONNEGATIVE, r"\bar J_0")
middle = Quantity("middle", "half of J_lock + J_best", Domain.NONNEGATIVE, "m")
sampled = Theorem(
    label="group-primal-dual/sampled",
    title="Runs on the two prompts stay below the middle; with means subtracted alone, above it",
    relation=Both(Le(J_run, middle), Ge(J_plain, middle)),
    source=_on("Algorithm 1, on the instance 39/40 against 23/44"),
    given=(
        OPPOSED,
        SKIPPED,
        Assumption("instance", "The two prompts of exchange, G = 4, one prompt a step, beta = 0."),
    ),
    proof="None: an experiment, by intervals over runs.",
    uses=("group-primal-dual/exchange",),
    remark="Plain gradient steps on logits; step sizes are ours, the multiplier's step as listed.",
)
