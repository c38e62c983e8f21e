r"""Safe policy improvement: WSAC's policy against the policy that made the data.

Critics, for each policy pi: :math:`f_r` minimises :math:`L(\pi,f)+\beta E(\pi,f)` over F, and
:math:`f_c` minimises :math:`-\lambda L(\pi,f)+\beta\hat E(\pi,f)` over G, for regularisers
:math:`E\ge0` that vanish at the true Q.  The answer to the population problem maximises
:math:`L(\pi,f_r)-\lambda\{L(\pi,f_c)\}_+`.  Safety is relative to the data: where the behaviour
policy is unsafe, nothing here says that the answer is safe.

Main results: `population`, `samples`, `squared`; false as printed: `proof_line`, `literal_oracle`.
"""

from sympy import Max, Rational, sqrt

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Gt, Le
from ..theorem import Assumption, Printed, Provenance, Refutation, Source, Standing, Theorem
from .coverage import PAPER, read

FIDELITY = (
    "Compared on 2026-11-29 with a machine transcription of the NeurIPS 2024 paper, its appendix "
    "included; tables 2 to 5 are images and were not legible. The first arXiv version (SATAC) was "
    "not read."
)
REALISABLE = Assumption("realisable", "Q_r and Q_c of every policy of Pi are in F and in G.")
BEHAVIOUR = Assumption("behaviour", "The behaviour policy is in Pi.")
WEIGHTS = Assumption("weights", "beta >= 0 and lambda > 0.")
lam = Quantity("lam", "multiplier of the cost", Domain.POSITIVE, r"\lambda")
beta = Quantity("beta", "weight of Bellman errors", Domain.NONNEGATIVE, r"\beta")
believed = Quantity("believed", "L(pi, f_r) - lam {L(pi, f_c)}_+ of any pi in Pi",
                    latex=r"L(\pi,f_r)-\lambda\{L(\pi,f_c)\}_+")  # fmt: skip
gain = Quantity("gain", "J_r(pi) - J_r(mu) of any pi in Pi", latex=r"J_r(\pi)-J_r(\mu)")
worse = Quantity("worse", "{J_c(pi) - J_c(mu)}_+ of any pi in Pi", Domain.NONNEGATIVE,
                 r"\{J_c(\pi)-J_c(\mu)\}_+")  # fmt: skip
won = Quantity("won", "J_r(hat pi) - J_r(mu) of the answer", latex=r"J_r(\hat\pi)-J_r(\mu)")
excess = Quantity("excess", "{J_c(hat pi) - J_c(mu)}_+", Domain.NONNEGATIVE,
                  r"\{J_c(\hat\pi)-J_c(\mu)\}_+")  # fmt: skip
cost = Quantity("cost", "{J_c(hat pi)}_+", Domain.NONNEGATIVE, r"\{J_c(\hat\pi)\}_+")
cost_mu = Quantity("cost_mu", "{J_c(mu)}_+", Domain.NONNEGATIVE, r"\{J_c(\mu)\}_+")
population = Theorem(
    label="safe-improvement/population",
    title="With infinite data WSAC is no worse than the data, and no less safe by more than 1/lam",
    relation=Both(
        Le(believed, gain - lam * worse),
        Ge(won, 0),
        Le(excess, won / lam),
        Le(cost, cost_mu + 1 / lam),
    ),
    source=read("Theorem 4.1, with what its proof gives"),
    given=(REALISABLE, BEHAVIOUR, WEIGHTS),
    proof="L(f_r) <= L(f_r) + beta E <= L(Q_r), and L(f_c) >= L(Q_c) likewise, so that the "
    "objective is at most the true one, coverage/difference; at mu it is 0.",
    uses=("coverage/difference",),
    remark="For any E >= 0 that vanishes at Q: weighted averages, all weights of a box, or mean "
    "squares (ATAC). No coverage is needed. A critic that minimises E alone obeys it as well where "
    "Q is in the class: it is no false variant.",
)

true_objective = Quantity("true_objective", "L(Q_r) - lam {L(Q_c)}_+",
                          latex=r"L(Q_r)-\lambda\{L(Q_c)\}_+")  # fmt: skip
L_reward = Quantity("L_reward", "L(pi, f_r)", latex="L(f_r)")
L_cost = Quantity("L_cost", "L(pi, f_c)", latex="L(f_c)")
E_reward = Quantity("E_reward", "E(pi, f_r)", Domain.NONNEGATIVE, "E(f_r)")
E_cost = Quantity("E_cost", "hat E(pi, f_c)", Domain.NONNEGATIVE, r"\hat E(f_c)")
unrealised = Quantity("unrealised", "largest mean squared residual of Q in its class",
                      Domain.NONNEGATIVE, r"\varepsilon_1")  # fmt: skip
outside = Quantity("outside", "number of policies that are not in Pi and should be", Domain.COUNT)
proof_line = Theorem(
    label="safe-improvement/proof-line",
    title="A line of the printed proof of Theorem 4.1, which keeps both errors on the small side",
    relation=Ge(
        true_objective,
        L_reward + beta * E_reward - lam * Max(L_cost, 0) + beta * E_cost,
    ),
    source=read("Appendix B.1, the display in the proof of Theorem 4.1"),
    given=(REALISABLE, BEHAVIOUR, WEIGHTS),
    standing=Standing.REFUTED,
    proof="As printed: by the definitions of the critics.",
    remark="Theorem 4.1 stands, safe-improvement/population: what is left without the two errors "
    "is true, and is all that it needs.",
    refutation=Refutation(
        FIDELITY,
        "A line of the proof only: the positive part hides what the cost critic gave up for its "
        "error. Neither the theorem nor the algorithm is touched.",
        (
            Printed("A CMDP with finitely many actions, R in [0, 1], C in [-1, 1], discount below "
                    "1.", "One state, two actions, discount 0, R = 0, C = (1, 0)."),
            Printed("mu is the behaviour policy's occupancy.", "The behaviour policy is (4/5, "
                    "1/5)."),
            Printed("Realisability with error 0.", "F and G hold 0 and (1, 0), the true Q of all "
                    "policies.", Eq(unrealised, 0)),
            Printed("The behaviour policy is in Pi.", "Pi is {(1/2, 1/2), (0, 1), mu}.",
                    Eq(outside, 0)),
            Printed("W is in [0, B_w] and has the constant 1.", "W is 1 and (0, 5)."),
            Printed("beta >= 0.", "It is 2.", Ge(beta, 0)),
            Printed("lambda > 0.", "It is 20.", Gt(lam, 0)),
            Printed("f_r minimises L + beta E, f_c minimises -lambda L + beta hat E.", "At "
                    "(1/2, 1/2) the zero function has 8/5, (1, 0) has 6: f_c = 0.",
                    Eq(E_cost, Rational(4, 5)), here=True),
        ),
    ),
)  # fmt: skip

lost = Quantity("lost", "J_r(mu) - J_r(bar pi)", latex=r"J_r(\mu)-J_r(\bar\pi)")
added = Quantity("added", "J_c(bar pi) - J_c(mu)", latex=r"J_c(\bar\pi)-J_c(\mu)")
eps_opt = Quantity("eps_opt", "average realised regret to mu of the printed payoffs",
                   latex=r"\varepsilon_{opt}")  # fmt: skip
rest = Quantity("rest", "10 (beta + 1) epsilon_stat", Domain.NONNEGATIVE,
                r"O(\varepsilon_{stat})")  # fmt: skip
lowest = Quantity("lowest", "least payoff", latex=r"\min g")
highest = Quantity("highest", "largest payoff", latex=r"\max g")
largest_regret = Quantity("largest_regret", "largest average regret to any law",
                          latex=r"\max_\pi\varepsilon^\pi_{opt}")  # fmt: skip
literal_oracle = Theorem(
    label="safe-improvement/literal-oracle",
    title="Theorem 5.6 for rewards, the regret being that of the payoffs of line 7, literally",
    relation=Le(lost, eps_opt + rest),
    source=read("Theorem 5.6, read with the payoffs of Algorithm 1, line 7"),
    given=(REALISABLE, BEHAVIOUR, WEIGHTS),
    standing=Standing.REFUTED,
    proof="As printed: by Lemma 2.",
    uses=("weighted-critics/lemma-literal",),
    remark="False under this reading only, where the reference is stochastic: the mean of positive "
    "parts is not the positive part of the mean. The proof measures regret on f_r(p) - lam "
    "{f_c(p) - f_c(ref)}_+, under which safe-improvement/samples is true; line 7's oracle then "
    "does not make that regret small. With a deterministic behaviour policy nothing is wrong.",
    refutation=Refutation(
        FIDELITY,
        "It strikes the algorithm as line 7 prints it, against a stochastic reference: it moves "
        "away from mu and loses reward for every number of data.",
        (
            Printed("A CMDP with finitely many actions, R in [0, 1], C in [-1, 1], discount below "
                    "1.", "One state, discount 0, R = (1, 3/5), C = (1/2, -1/2)."),
            Printed("The reference is the behaviour policy, and can be queried.",
                    "It is (1/2, 1/2).", Eq(outside, 0)),
            Printed("Realisability with error epsilon_1.", "F = {R}, G = {C}.", Eq(unrealised, 0)),
            Printed("W is in [0, B_w] and has the constant 1.", "W = {1}."),
            Printed("Any beta >= 0.", "It is 2; the critics are the same for all.", Ge(beta, 0)),
            Printed("N independent data, with probability 1 - delta.", "Any N: the classes have "
                    "one member, so that the run does not depend on the data. N = 10^9 here, delta "
                    "= 1/10.", Le(rest, Rational(1, 100))),
            Printed("Definition 5.1: an oracle of regret o(1) for payoffs in [0, Vmax].",
                    "Hedge, 64 rounds; payoffs are (1/2, 3/5).", Ge(lowest, 0)),
            Printed("Payoffs are at most Vmax.", "Vmax = 1.", Le(highest, 1)),
            Printed("f(s, p) is the mean of f(s, a) under p.", "eps_opt is the regret of the "
                    "payoffs in that sense, to mu, and is negative.", Le(eps_opt, 0)),
            Printed("Definition 5.1 is for every policy.", "The largest regret over all laws "
                    "is at most 1/100, and more is lost.", Gt(lost, largest_regret)),
            Printed("The answer is the uniform mixture of the rounds.",
                    "J of the answer is the mean.", Gt(lost, Max(eps_opt, 0))),
        ),
    ),
)  # fmt: skip

phi = Quantity("phi", "average realised regret to mu of f_r(p) - lam {f_c(p) - f_c(mu)}_+",
               latex=r"\varepsilon^\Phi")  # fmt: skip
beta_r = Quantity("beta_r", "beta of the reward critic", Domain.NONNEGATIVE, r"\beta_r")
beta_c = Quantity("beta_c", "beta of the cost critic, of -L + beta E", Domain.NONNEGATIVE,
                  r"\beta_c")  # fmt: skip
V = Quantity("V", "1/(1 - gamma)", Domain.POSITIVE, r"V_{\max}")
C2 = Quantity("C2", "largest E_mu w^2 of W", Domain.NONNEGATIVE, r"C_{\ell_2}^{\star2}")
eps1 = Quantity("eps1", "error of realisability", Domain.NONNEGATIVE, r"\varepsilon_1")
eps_L = Quantity("eps_L", "largest |L_mu - L_D|", Domain.NONNEGATIVE, r"\varepsilon_L")
eps_E = Quantity("eps_E", "largest |E_mu - E_D|", Domain.NONNEGATIVE, r"\varepsilon_E")
eps_Lc = Quantity("eps_Lc", "the same for costs", Domain.NONNEGATIVE, r"\varepsilon_L^c")
eps_Ec = Quantity("eps_Ec", "the same for costs", Domain.NONNEGATIVE, r"\varepsilon_E^c")
SAME = Assumption("same", "The reference is the behaviour policy.")
_REWARD = 2 * eps_L + beta_r * (eps_E + sqrt(C2 * eps1)) + 2 * sqrt(eps1)
_COST = 2 * eps_Lc + beta_c * (eps_Ec + sqrt(C2 * eps1)) + 2 * sqrt(eps1)
samples = Theorem(
    label="safe-improvement/samples",
    title="From data, WSAC against the behaviour policy, for any weights of the critics' errors",
    relation=Both(Le(lost, phi + _REWARD), Le(added, (phi + V) / lam + _COST)),
    source=Source(PAPER, "Theorem 5.6, with phi and explicit constants", Provenance.DERIVED),
    given=(SAME,),
    standing=Standing.REPAIRED,
    proof="coverage/decomposition with pi = mu, where the first two terms cancel; optimality of "
    "the critics; weighted-critics/concave.",
    uses=("coverage/decomposition", "weighted-critics/concave"),
    remark="The printed O(.) hides a factor beta + 1. eps1 is that of Assumption 3.2 for the "
    "policies that are played, mu and the reference.",
)
