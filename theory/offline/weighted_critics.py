r"""Critics with weighted average Bellman errors against any covered reference policy.

Per round k: critics f_r and f_c of pi_k, and :math:`x_k(s)=f_c(s,\pi_k)-f_c(s,\pi_{ref})`.  Gaps
are averages over rounds, under the occupancy of the reference.  ``reward_gap``: of
:math:`f_r(s,\pi_{ref})-f_r(s,\pi_k)`; ``cost_gap``: of :math:`\{x_k\}_+`.  Two readings of the
oracle's regret: of the payoffs of Algorithm 1, line 7, :math:`f_r(s,a)-\lambda\{f_c(s,a)-
f_c(s,\pi_{ref})\}_+`, action by action; or of :math:`\Phi_k(s,p)=f_r(s,p)-\lambda\{f_c(s,p)-
f_c(s,\pi_{ref})\}_+`, as the proof has it.

Main results: `concave`, `linear`, `reward_step`, `cost_step`, `reference`; false as printed:
`lemma_literal`, `lemma_constant`, `reference_printed`.
"""

from sympy import Max, Rational, log, sqrt

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Gt, Le
from ..theorem import Assumption, Printed, Provenance, Refutation, Source, Standing, Theorem
from .coverage import OURS, PAPER, N, delta, read
from .safe_improvement import (
    C2,
    FIDELITY,
    V,
    beta,
    beta_c,
    beta_r,
    eps1,
    eps_E,
    eps_Ec,
    eps_L,
    eps_Lc,
    eps_opt,
    highest,
    lam,
    lowest,
    outside,
    phi,
    unrealised,
)

reward_gap = Quantity("reward_gap", "average of f_r(s, ref) - f_r(s, pi_k)")
cost_gap = Quantity("cost_gap", "average of {x_k}_+", Domain.NONNEGATIVE)
linear_regret = Quantity("linear_regret", "average regret of the payoffs that the oracle was told")
deviation = Quantity("deviation", "average of sum_a ref(a|s) {f_c(s, a) - f_c(s, ref)}_+",
                     Domain.NONNEGATIVE)  # fmt: skip
stochastic = Quantity("stochastic", "sum over s and a of ref (1 - ref)", Domain.NONNEGATIVE)
RANGES = Assumption("ranges", "f_r is in [0, Vmax], f_c in [-Vmax, Vmax].")
_READING = (
    Printed("f_r is in [0, Vmax], f_c in [-Vmax, Vmax].", "Vmax = 1, and both are.", Gt(V, 0)),
    Printed("Definition 5.1 is for payoffs in [0, Vmax].", "So they are.", Ge(lowest, 0)),
    Printed("Payoffs are at most Vmax.", "They are.", Le(highest, V)),
)


def _multiplier(shown: int) -> Printed:
    return Printed("lambda is any positive number.", f"It is {shown}.", Eq(lam, shown), here=True)


lemma_literal = Theorem(
    label="weighted-critics/lemma-literal",
    title="Lemma 2 for rewards, the regret being that of the payoffs of line 7, literally",
    relation=Le(reward_gap, eps_opt),
    source=read("Lemma 2, first display, with the payoffs of Algorithm 1, line 7"),
    given=(RANGES,),
    standing=Standing.REFUTED,
    proof="As printed: the positive part is taken of means, and the comparator's own part as 0.",
    remark="False under this reading only. With the regret of Phi, the proof's reading, it is true "
    "(weighted-critics/concave), and so it is where the reference is deterministic or f_c constant "
    "on what it takes (weighted-critics/linear).",
    refutation=Refutation(
        FIDELITY,
        "It strikes every stochastic reference that takes actions of different cost.",
        (
            Printed("The comparator pi is an arbitrary policy, the reference.", "It is (1/2, 1/2).",
                    Eq(stochastic, Rational(1, 2)), here=True),
            *_READING,
            _multiplier(1),
            Printed("eps_opt is the regret of Definition 5.1, with f(s, p) the mean of f(s, a).",
                    "Payoffs (1/2, 3/5), pi_k the second action: -1/20.",
                    Eq(eps_opt, Rational(-1, 20)), here=True),
            Printed("eps_opt is o(1), which can only bound it from above.", "The gap is above "
                    "max(eps_opt, 0) as well.", Gt(reward_gap, Max(eps_opt, 0))),
        ),
    ),
)  # fmt: skip
lemma_constant = Theorem(
    label="weighted-critics/lemma-constant",
    title="Lemma 2 for costs with its printed constant",
    relation=Le(cost_gap, eps_opt + V / lam),
    source=read("Lemma 2, second display"),
    given=(RANGES,),
    standing=Standing.REFUTED,
    proof="As printed: by rearranging, where the regret was not divided by lambda.",
    remark="A slip of a constant: true with (eps_opt + Vmax)/lam, weighted-critics/concave, and "
    "as it is where payoffs are in [0, Vmax] and eps_opt >= 0. Both readings "
    "agree here, as all is deterministic.",
    refutation=Refutation(
        FIDELITY,
        "An edge: lam > 1 with eps_opt < 0. Payoffs in [0, Vmax] keep cost_gap within Vmax/lam, so "
        "that it is true for eps_opt >= 0; nothing else rests on it.",
        (
            Printed("The comparator pi is an arbitrary policy.", "The second action.",
                    Eq(stochastic, 0), here=True),
            *_READING,
            _multiplier(2),
            Printed("eps_opt is the regret of Definition 5.1.", "-1/2, under either reading.",
                    Eq(eps_opt, phi)),
        ),
    ),
)  # fmt: skip
concave = Theorem(
    label="weighted-critics/concave",
    title="What the concave oracle gives: both gaps from one regret",
    relation=Both(
        Le(reward_gap, phi),
        Le(cost_gap, (phi + V) / lam),
        Le(phi, linear_regret),
    ),
    source=Source(PAPER, "Lemma 2, with the regret of Phi", Provenance.DERIVED),
    given=(RANGES,),
    standing=Standing.REPAIRED,
    proof="phi is reward_gap + lam cost_gap, the first at least -Vmax; and a supergradient of a "
    "concave function bounds its differences.",
    remark="The oracle is told f_r - lam 1{x_k(s) > 0} f_c, of range at most (1 + 2 lam) Vmax.",
)
linear = Theorem(
    label="weighted-critics/linear",
    title="What the payoffs of line 7 give: the regret, and what a stochastic reference adds",
    relation=Le(reward_gap + lam * cost_gap, linear_regret + lam * deviation),
    source=OURS,
    proof="Jensen's inequality for the positive part of pi_k; the reference's own part is not 0.",
    remark="deviation is 0 where the reference is deterministic, or f_c constant on what it takes.",
)

lost_k = Quantity("lost_k", "J_r(ref) - J_r(pi_k)", latex=r"J_r(\pi_{ref})-J_r(\pi_k)")
added_k = Quantity("added_k", "J_c(pi_k) - J_c(ref)", latex=r"J_c(\pi_k)-J_c(\pi_{ref})")
shown_r = Quantity("shown_r", "E_d [f_r(s, ref) - f_r(s, pi_k)], d of ref")
shown_c = Quantity("shown_c", "E_d [f_c(s, pi_k) - f_c(s, ref)], d of ref")
WEIGHT = Assumption("weight", "d^ref/mu is finite and in W, as is 1.")
TWO = Assumption("two", "beta >= 2, for the cost of -L + beta E.")
_REWARD = 2 * eps_L + (beta_r + 2) * eps_E + (beta_r * sqrt(C2) + 2) * sqrt(eps1)
_COST = 2 * eps_Lc + (beta_c + 2) * eps_Ec + (beta_c * sqrt(C2) + 2) * sqrt(eps1)
reward_step = Theorem(
    label="weighted-critics/reward-step",
    title="What a policy loses to the reference, by its reward critic",
    relation=Le(lost_k, shown_r + _REWARD),
    source=Source(PAPER, "proof of Theorem 5.2, explicit constants", Provenance.DERIVED),
    given=(WEIGHT, TWO),
    proof="coverage/decomposition: its first two terms are at most 2 E_mu(f); beta >= 2 pays them.",
    uses=("coverage/decomposition",),
    remark="eps1 is that of Assumption 3.2 for the policies that are played, the reference and mu, "
    "which Theorem 5.2 does not print to be in Pi.",
)
cost_step = Theorem(
    label="weighted-critics/cost-step",
    title="How much less safe than the reference a policy is, by its cost critic",
    relation=Le(added_k, shown_c + _COST),
    source=OURS,
    given=(WEIGHT, TWO),
    standing=Standing.REPAIRED,
    proof="The mirror image of weighted-critics/reward-step.",
    uses=("coverage/decomposition",),
    remark="The paper weighs -lam L by 1 and the error by 2: that is beta 2/lam here, below 2 for "
    "lam > 1; in its terms beta >= 2 lam is needed.",
)

failing = Quantity("failing", "lower bound of the probability that the bound fails",
                   Domain.PROBABILITY, "P")  # fmt: skip
added_bar = Quantity("added_bar", "J_c(bar pi) - J_c(ref)",
                     latex=r"J_c(\bar\pi)-J_c(\pi_{ref})")  # fmt: skip
stat = Quantity("stat", "c epsilon_stat", Domain.NONNEGATIVE, r"c\,\varepsilon_{stat}")
critics = Quantity("critics", "|F| |G| |Pi| |W|", Domain.TRIALS, r"|F||G||\Pi||W|")
B_w = Quantity("B_w", "largest weight", Domain.NONNEGATIVE, "B_w")
c = Quantity("c", "constant of O(.)", Domain.NONNEGATIVE, "c")
ref_square = Quantity("ref_square", "E_mu (d^ref/mu)^2", Domain.NONNEGATIVE)
rounding = log(critics / delta)
STAT = c * V * (sqrt(C2 * rounding / N) + B_w * rounding / N)
reference_printed = Theorem(
    label="weighted-critics/reference-printed",
    title="Theorem 5.2's bound on the cost as printed fails with probability delta at most",
    relation=Le(failing, delta),
    source=read("Theorem 5.2, second display"),
    given=(WEIGHT,),
    standing=Standing.REFUTED,
    proof="As printed: 2 E is said to be paid for by the cost critic, which pays for 2/lam E.",
    remark="The bound is J_c(bar pi) - J_c(ref) <= c (eps_stat + C sqrt(eps1)) + eps_opt + "
    "Vmax/lam, and it fails for any constant c of O(.) once N is large. With 2 lam in the place of "
    "2 it holds: weighted-critics/reference. For lam <= 1 nothing is wrong.",
    refutation=Refutation(
        FIDELITY,
        "It strikes the multipliers that the theorem is for: for each lam > 2 there is such an "
        "instance with costs in [0, 1], and at lam = 2 one with costs in [-1, 1].",
        (
            Printed("A CMDP with finitely many actions, R in [0, 1], C in [-1, 1], discount below "
                    "1.", "One state, two actions, discount 0, R = 0, C = (1, 0)."),
            Printed("N independent data of mu, the occupancy of the behaviour policy.",
                    "The behaviour policy is (4/5, 1/5).", Ge(N, 1)),
            Printed("F is in [0, Vmax], G in [-Vmax, Vmax], W in [0, B_w] with 1; all are finite.",
                    "F = G = {0, C}, W = {1, (0, 5)}, Pi = {(1/2, 1/2), (0, 1), mu}.",
                    Ge(critics, 1)),
            Printed("Realisability with error eps1, for rewards in F and costs in G (printed F).",
                    "Q_r = 0 and Q_c = C for all policies, and F = G.", Eq(unrealised, 0)),
            Printed("Concentrability: the norms of W are at most C.", "C^2 = 5.",
                    Ge(C2, ref_square)),
            Printed("d^ref/mu is in W.", "It is (0, 5).", Eq(ref_square, C2)),
            Printed("The reference can be queried.", "It is the second action; deterministic, so "
                    "that both readings of the regret agree.", Eq(stochastic, 0)),
            Printed("beta = 2.", "As printed.", Eq(beta, 2)),
            Printed("lambda > 0.", "It is 20.", Gt(lam, 0)),
            Printed("pi_1 is initialised randomly.", "It is (1/2, 1/2). Drawn from Pi, it is that "
                    "with probability 1/3, and each delta < 1/3 is refuted."),
            Printed("A no-regret oracle, for payoffs in [0, Vmax].", "Hedge; payoffs are 0, and so "
                    "is the regret to every policy.", Eq(eps_opt, 0)),
            Printed("Payoffs are at most Vmax.", "They are 0.", Eq(highest, 0)),
            Printed("The answer is the uniform mixture of the rounds.", "All rounds are pi_1: 1/2 "
                    "more cost than the reference.", Eq(added_bar, Rational(1, 2)), here=True),
            Printed("The bound: O(eps_stat) + eps_opt + Vmax/lam.", "c = 10, N = 10^6.",
                    Gt(added_bar, STAT + eps_opt + V / lam)),
            Printed("The behaviour policy is in Pi (not printed, but used).", "It is.",
                    Eq(outside, 0)),
        ),
    ),
)  # fmt: skip
errors_r = Quantity("errors_r", "what weighted-critics/reward-step adds to shown_r",
                    Domain.NONNEGATIVE, r"\mathrm{err}_r")  # fmt: skip
errors_c = Quantity("errors_c", "what weighted-critics/cost-step adds to shown_c",
                    Domain.NONNEGATIVE, r"\mathrm{err}_c")  # fmt: skip
lost_bar = Quantity("lost_bar", "J_r(ref) - J_r(bar pi)", latex=r"J_r(\pi_{ref})-J_r(\bar\pi)")
reference = Theorem(
    label="weighted-critics/reference",
    title="From data, WSAC against any covered reference",
    relation=Both(
        Le(lost_bar, phi + errors_r),
        Le(added_bar, (phi + V) / lam + errors_c),
    ),
    source=Source(PAPER, "Theorem 5.2, with 2 lam and the regret of Phi", Provenance.DERIVED),
    given=(WEIGHT, TWO),
    standing=Standing.REPAIRED,
    proof="The two steps, averaged over the rounds, and weighted-critics/concave.",
    uses=(
        "weighted-critics/reward-step",
        "weighted-critics/cost-step",
        "weighted-critics/concave",
    ),
    remark="bar pi draws one round and keeps it for the episode. phi is at most the regret of the "
    "supergradient payoffs, no-regret/hedge.",
)
