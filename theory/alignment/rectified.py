r"""Rectified costs: a constraint on every response, not on the average one (RePO).

C is a cost, a response is safe where :math:`C\le0`, and :math:`C^+=\max(C,0)`.  *Critical* is a
policy with :math:`E C^+=0`.  The theorems that the paper prints were not available; all statements
here are ours.

Main results: `nested`, `values`, `compensation`, `leak`, `dual`, `exact_penalty`,
`regret`, `mirror_descent`, `dual_ascent`, `two_branches`, `lagrangian`.
"""

from sympy import exp, log, sqrt

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Gt, Le
from ..theorem import Assumption, Provenance, Source, Theorem

OURS = Source(
    "holdfast", "for the setting of Peng et al. 2025 (RePO), not read", Provenance.DERIVED
)
SAFE = Assumption("safe", "Every prompt has a safe response.")

unsafe = Quantity("unsafe", "probability of an unsafe response", Domain.PROBABILITY)
rectified = Quantity("rectified", "E C+", Domain.NONNEGATIVE, r"EC^+")
by_prompt = Quantity("by_prompt", "E max(E[C|x], 0)", Domain.NONNEGATIVE, r"E_\rho(E[C|x])^+")
average = Quantity("average", "E C", latex="EC")
c_min = Quantity("c_min", "smallest positive cost", Domain.POSITIVE, r"c_{\min}")
c_max = Quantity("c_max", "largest cost", Domain.POSITIVE, r"c_{\max}")
nested = Theorem(
    label="rectified/nested",
    title="Critical policies keep every prompt's constraint, and these the average one",
    relation=Both(
        Le(c_min * unsafe, rectified),
        Le(rectified, c_max * unsafe),
        Le(by_prompt, rectified),
        Le(average, by_prompt),
    ),
    source=OURS,
    proof="Costs of unsafe responses are between c_min and c_max; Jensen's inequality, twice.",
    remark="So E C+ is 0 where no response is unsafe, and only there.",
)

V_critical = Quantity(
    "V_critical",
    "largest E R of critical policies",
    latex=r"V_{crit}",
    program=r"\max_\pi\mathbb E_\pi R\quad\text{subject to}\quad \mathbb E_\pi C^+=0",
)
V_prompt = Quantity(
    "V_prompt",
    "largest E R with E[C|x] <= 0",
    latex=r"V_{prompt}",
    program=(
        r"\max_\pi\mathbb E_\pi R\quad\text{subject to}"
        r"\quad \mathbb E_\pi[C\mid x]\le 0\text{ for all }x"
    ),
)
V_average = Quantity(
    "V_average",
    "largest E R with E C <= 0",
    latex=r"V_{avg}",
    program=r"\max_\pi\mathbb E_\pi R\quad\text{subject to}\quad \mathbb E_\pi C\le 0",
)
values = Theorem(
    label="rectified/values",
    title="A stricter constraint costs reward",
    relation=Both(Le(V_critical, V_prompt), Le(V_prompt, V_average)),
    source=OURS,
    given=(SAFE,),
    proof="The sets are nested.",
    uses=("rectified/nested",),
)

AVERAGE = Assumption("tilted", "The policy is a tilt by R - lambda C, and costs are not constant.")
compensation = Theorem(
    label="rectified/compensation",
    title="The best policy of an average constraint is never critical",
    relation=Gt(rectified, 0),
    source=OURS,
    given=(AVERAGE,),
    proof="A tilt has full support, so the costs that make up for others are positive.",
    uses=("tilts/gibbs",),
    remark="C is counted from its mean, the budget for which the tilt is optimal: safe prompts pay "
    "for unsafe ones.",
)

lam = Quantity("lam", "multiplier of C+", Domain.NONNEGATIVE, r"\lambda")
beta = Quantity("beta", "weight of the KL divergence", Domain.POSITIVE, r"\beta")
leaking = Quantity("leaking", "P(unsafe|x) at the tilt by R - lambda C+", Domain.PROBABILITY)
Z_u = Quantity("Z_u", "sum of reference e^(R/beta), unsafe", Domain.POSITIVE, "Z_u")
Z_s = Quantity("Z_s", "the same, safe", Domain.POSITIVE, "Z_s")
apart = Quantity(
    "apart", "KL(critical optimum | tilt)", Domain.NONNEGATIVE, r"\mathrm{KL}(\pi_\infty\|\pi)"
)
at_lam = Quantity("at_lam", "E[C+|x] at the tilt", Domain.NONNEGATIVE)
at_more = Quantity("at_more", "E[C+|x] at the tilt by a larger multiplier", Domain.NONNEGATIVE)
bound = Z_u / Z_s * exp(-lam * c_min / beta)
leak = Theorem(
    label="rectified/leak",
    title="What the penalty leaks vanishes exponentially, and is how far the optimum is",
    relation=Both(Le(leaking, bound), Eq(apart, -log(1 - leaking)), Le(at_more, at_lam)),
    source=OURS,
    given=(SAFE,),
    proof="On safe responses both are proportional; the derivative of E C+ is less a variance.",
    uses=("tilts/gibbs", "tilts/multiplier"),
    remark="A leak of eps needs no more than lambda = max(0, beta log(Z_u/(Z_s eps))/c_min).",
)

dual_value = Quantity("dual_value", "beta log Z of R - lambda C+", latex=r"D(\lambda)")
critical = Quantity(
    "critical",
    "best E R - beta KL of critical policies",
    latex=r"J_{crit}",
    program=(
        r"\max_\pi\mathbb E_\pi R-\beta\,\mathrm{KL}(\pi\|\pi_{\rm ref})"
        r"\quad\text{subject to}\quad \mathbb E_\pi C^+=0"
    ),
)
dual = Theorem(
    label="rectified/dual",
    title="There is no duality gap, and no multiplier attains it",
    relation=Both(
        Gt(dual_value, critical),
        Eq(dual_value - critical, -beta * log(1 - leaking)),
        Le(dual_value - critical, beta * bound),
    ),
    source=OURS,
    given=(SAFE, Assumption("unsafe", "The prompt has an unsafe response.")),
    proof="Z = Z_s/(1 - leak), and log(1 + u) <= u.",
    uses=("rectified/leak",),
    remark="E C+ is nowhere negative, so there is no Slater point.",
)

lambda_0 = Quantity("lambda_0", "exact multiplier", Domain.NONNEGATIVE, r"\lambda^\circ")
R_pi = Quantity("R_pi", "E R of a policy", latex=r"E_\pi R")
at_0 = Quantity(
    "at_0",
    "largest E(R - lambda_0 C+)",
    latex=r"P(\lambda^\circ)",
    program=r"\max_\pi\mathbb E_\pi(R-\lambda^\circ C^+)",
)
above = Quantity("above", "the same for a larger multiplier", latex=r"P(>\lambda^\circ)")
under = Quantity("under", "the same for a smaller one", latex=r"P(<\lambda^\circ)")
exact_penalty = Theorem(
    label="rectified/exact-penalty",
    title="Without KL a finite multiplier suffices, and none smaller",
    relation=Both(
        Eq(at_0, V_critical),
        Eq(above, V_critical),
        Gt(under, V_critical),
        Le(R_pi - V_critical, lambda_0 * rectified),
    ),
    source=OURS,
    given=(SAFE, Assumption("tempting", "Some unsafe response is better than the safe ones.")),
    proof="lambda_0 is the largest (R(y) - best safe R)+/C+(y) of unsafe y.",
    uses=("rectified/nested",),
)

paid = Quantity("paid", "sum of best safe reward less E(R - lambda_t C+)")
K = Quantity("K", "KL(best safe choice | reference)", Domain.NONNEGATIVE, "K")
left = Quantity("left", "KL(best safe choice | policy after the last step)", Domain.NONNEGATIVE)
moves = Quantity("moves", "sum of KL(policy | next policy)", Domain.NONNEGATIVE)
eta = Quantity("eta", "step", Domain.POSITIVE, r"\eta")
S_sum = Quantity("S_sum", "sum of mean squares of spans", Domain.NONNEGATIVE, r"\sum S_t")
regret = Theorem(
    label="rectified/regret",
    title="What mirror descent pays is what it comes nearer, and its moves",
    relation=Both(Eq(eta * paid, K - left + moves), Le(moves, eta**2 * S_sum / 8)),
    source=OURS,
    given=(SAFE,),
    proof="eta times a field is the difference of logarithms, but for a constant; Hoeffding.",
    uses=("tilts/nearness",),
    remark="Each part is attained, the second nearly for two even responses and short steps.",
)

shortfall = Quantity("shortfall", "best safe reward less mean E R of the steps")
violation = Quantity("violation", "mean E C+ of the steps", Domain.NONNEGATIVE)
S = Quantity("S", "mean square of the spans of R - lambda C+", Domain.NONNEGATIVE, "S")
T = Quantity("T", "steps", Domain.TRIALS, "T")
eps = K / (eta * T) + eta * S / 8
mirror_descent = Theorem(
    label="rectified/mirror-descent",
    title="Mirror descent with a multiplier above the exact one",
    relation=Both(Le(shortfall, eps), Le(violation, eps / (lam - lambda_0))),
    source=OURS,
    given=(SAFE, Assumption("above", "lambda is larger than lambda_0.")),
    proof="Of regret, as E C+ is not negative; by exact-penalty.",
    uses=("rectified/exact-penalty", "rectified/regret"),
    remark="eta = sqrt(8 K/(S T)) makes it sqrt(K S/(2 T)).",
)

alpha = Quantity("alpha", "step of the multiplier", Domain.POSITIVE, r"\alpha")
missed = Quantity("missed", "sum of best safe reward less E R")
charged = Quantity("charged", "sum of lambda_t E C+", Domain.NONNEGATIVE, r"\sum\lambda_tV_t")
V_sum = Quantity("V_sum", "sum of E C+", Domain.NONNEGATIVE, r"\sum V_t")
V_squares = Quantity("V_squares", "sum of (E C+)^2", Domain.NONNEGATIVE, r"\sum V_t^2")
last = Quantity("last", "multiplier at the end", Domain.NONNEGATIVE, r"\lambda_{T+1}")
A = Quantity("A", "what the regret and the steps of the multiplier cost", Domain.POSITIVE, "A")
dual_ascent = Theorem(
    label="rectified/dual-ascent",
    title="With a multiplier that rises by the violation both sums are bounded",
    relation=Both(
        Eq(A, K / eta + eta * S_sum / 8 + alpha * V_squares / 2),
        Eq(charged, (last**2 / alpha - alpha * V_squares) / 2),
        Le(missed, A - last**2 / (2 * alpha)),
        Eq(V_sum, last / alpha),
        Le(V_sum, (lambda_0 + sqrt(lambda_0**2 + 2 * alpha * A)) / alpha),
    ),
    source=OURS,
    given=(SAFE,),
    proof="Of regret and charged; exact-penalty gives missed >= -lambda_0 V_sum.",
    uses=("rectified/exact-penalty", "rectified/regret"),
    remark="The multiplier is 0 first.  Steps of T^(-1/2) make means of order T^(-1/2).",
)

moved = Quantity("moved", "update of a logit, baseline raised by k")
unmoved = Quantity("unmoved", "the same, not raised")
plain_moved = Quantity("plain_moved", "with R - lambda C+ throughout, raised")
plain_unmoved = Quantity("plain_unmoved", "with R - lambda C+ throughout, not raised")
k = Quantity("k", "what the baseline of the reward is raised by", latex="k")
slope = Quantity("slope", "derivative of P(unsafe) by the logit", latex=r"\nabla P(U)")
two_branches = Theorem(
    label="rectified/two-branches",
    title="Advantages by two branches depend on the baseline; a high one leads to unsafe responses",
    relation=Both(Eq(moved - unmoved, k * lam / (1 + lam) * slope), Eq(plain_moved, plain_unmoved)),
    source=OURS,
    proof="Safe advantages fall by k, unsafe ones by k/(1 + lambda); a constant moves no logit.",
    remark="The branches are A_R and (A_R - lambda A_C)/(1 + lambda), as recalled from the code.",
)

c_kl = Quantity("c_kl", "weight of KL in reward and cost", Domain.POSITIVE, r"c_{KL}")
combined = Quantity("combined", "E (r - lambda c)/(1 + lambda), KL in r and c")
best = Quantity("best", "the same at its optimum")
gain = Quantity("gain", "E(R - lambda C)", latex=r"E(R-\lambda C)")
far = Quantity("far", "KL(pi | reference)", Domain.NONNEGATIVE, r"\mathrm{KL}(\pi\|\pi_{ref})")
off = Quantity("off", "KL(pi | tilt)", Domain.NONNEGATIVE, r"\mathrm{KL}(\pi\|\pi_{R-\lambda C})")
lagrangian = Theorem(
    label="rectified/lagrangian",
    title="PPO-Lagrangian with a frozen multiplier is a tilt at 1 + lambda times its KL weight",
    relation=Both(Eq(combined, gain / (1 + lam) - c_kl * far), Eq(best - combined, c_kl * off)),
    source=Source("Dai et al. 2024 (Safe RLHF)", "its code; form ours", Provenance.DERIVED),
    given=(Assumption("tilted", "The tilt is by R - lambda C at temperature c_kl (1 + lambda)."),),
    proof="KL is subtracted from the reward, added to the cost: (1 + lambda)/(1 + lambda) in all.",
    uses=("tilts/gibbs",),
)
