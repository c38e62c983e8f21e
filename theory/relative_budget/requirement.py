r"""How many samples one step needs, :math:`n=2HL/(\sqrt\kappa\,c\,\sigma)`, against the budget.

:math:`L=\log(|\mathcal R|/\delta)`, :math:`\xi=H/\mu` with :math:`\mu=\mathbb E T`, and CV is the
deviation of T over :math:`\mu`.  In the Gamma case T has shape K and mean 1, :math:`H=\xi`, and
:math:`F_k` is the regularised lower incomplete gamma function.

Main results: `universal`, `deficient`, `deficient_sharper`, `balanced`, `ample`,
`gamma_deficient`, `gamma_ample`.
"""

from sympy import Rational, exp, sqrt

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Gt, Le
from ..theorem import Assumption, Provenance, Source, Theorem
from .improvement import OURS, PAPER, kappa, share, variance

n = Quantity("n", "samples that one step needs, over L", Domain.POSITIVE, r"n/L")
n_square = Quantity("n2", "(n/L)^2, its square", Domain.POSITIVE, r"(n/L)^2")
xi = Quantity("xi", "relative budget H / E T", Domain.POSITIVE, r"\xi")
cv_square = Quantity("cv2", "(std T / E T)^2", Domain.POSITIVE, r"\mathrm{CV}^2")
FINITE = Assumption("finite", "c and sigma are positive, E T and Var T finite.")
universal = Theorem(
    label="requirement/universal",
    title="At any budget a step needs so many samples",
    relation=Both(
        Ge(n_square * kappa, 16 * (1 + kappa) ** 2),
        Ge(n_square * kappa * cv_square, 4 * (1 + kappa) ** 2 * xi**2),
        Ge(n_square, 64),
    ),
    source=OURS,
    given=(FINITE,),
    proof="sigma <= H/2, sigma <= std T (R is a 1-Lipschitz function of T), c <= 1/(1 + kappa).",
    uses=("improvement/cantelli",),
    remark="n/L >= 2 (1 + kappa)/sqrt(kappa) max(2, xi/CV) >= 8, squared. Attained by two lengths, "
    "of which one or both are solved in time.",
)

q = Quantity("q", "Pr[T <= H]", Domain.PROBABILITY, "q")
doubling = Quantity("doubling", "c_f = Pr[T <= H] / Pr[R >= H/2]", Domain.POSITIVE, "c_f")
RARE = Assumption("rare", "0 < q <= 1/(8 c_f) and q + sqrt(kappa q) <= 1/2.")
deficient = Theorem(
    label="requirement/deficient",
    title="Where little is solved in time, the need grows like q^(-3/2)",
    relation=Both(Ge(n_square * kappa * q**3, 4), Le(n_square * kappa * q**3, 32 * doubling**3)),
    source=Source(PAPER, "Theorem 6.3, deficient; constants ours", Provenance.RECALLED),
    given=(RARE,),
    proof="E R^2 >= H^2 q/(4 c_f) and J <= H q, so H sqrt(q/(8 c_f)) <= sigma <= H sqrt(q); the "
    "threshold is at most H/2, so q/c_f <= c <= q.",
    remark="2 <= n/L sqrt(kappa) q^(3/2) <= 4 sqrt(2) c_f^(3/2), squared. c_f is local: for a "
    "log-normal T it has no bound as xi falls to 0.",
)
HALF = Assumption("half", "q > 0 and q + sqrt(kappa q) <= 1/2.")
deficient_sharper = Theorem(
    label="requirement/deficient-sharper",
    title="The need where little is solved in time, with a constant that is attained",
    relation=Le(n_square * kappa * q**3 * (1 - q), 16 * doubling**3),
    source=OURS,
    given=(HALF,),
    proof="J^2 <= q E R^2, so sigma^2 >= (1 - q) E R^2 >= (1 - q) H^2 q/(4 c_f).",
    remark="Attained where all that is solved has the reward H/2.",
)

conditional = Quantity(
    "conditional", "Var[T | T <= H]", Domain.NONNEGATIVE, r"\mathrm{Var}[T\mid T\le H]"
)
WITHIN = Assumption("within", "kappa <= s^2, where s = sigma/H.")
balanced = Theorem(
    label="requirement/balanced",
    title="Where the deviation is a share s of the horizon, a constant number will do",
    relation=Both(
        Ge(variance, q * conditional),
        Le(n_square * kappa * share**3, 4),
    ),
    source=Source(PAPER, "Theorem 6.3, balanced; constants ours", Provenance.RECALLED),
    given=(WITHIN,),
    proof="The law of total variance; improvement/variance-bound-sharper.",
    uses=("improvement/variance-bound-sharper",),
    remark="n/L <= 2/(sqrt(kappa) s^3), squared; at kappa = s^2 it is 2/s^4, without any "
    "assumption on T.",
)

efficiency = Quantity("efficiency", "L/n, 0 where no number suffices", Domain.NONNEGATIVE, "L/n")
c_ample = Quantity("c_ample", "Pr[T <= E T - sqrt(kappa) std T]", Domain.PROBABILITY, r"c_\infty")
SOLVED = Assumption("solved", "Every trajectory is solved within the horizon.")
ATTAINABLE = Assumption("attainable", "sqrt(kappa) std T < E T - ess inf T, so that c is positive.")
ample = Theorem(
    label="requirement/ample",
    title="Once everything is solved in time, the need is linear in the budget",
    relation=Both(Eq(efficiency, sqrt(kappa * cv_square) * c_ample / (2 * xi)), Gt(efficiency, 0)),
    source=Source(PAPER, "Theorem 6.3, ample; the condition on kappa is ours", Provenance.RECALLED),
    given=(SOLVED, ATTAINABLE),
    proof="R - J = E T - T.",
    remark="With a larger kappa c is 0 and no number suffices. With rewards 1{T <= H} the need is "
    "infinite here, and exponential in xi on the way.",
)
binary = Quantity("binary", "L/n with the rewards 1{T <= H}", Domain.NONNEGATIVE)

K = Quantity("K", "shape of the Gamma law", Domain.POSITIVE, "K")
g = Quantity("g", "J/H", Domain.PROBABILITY, "g")
s = Quantity("s", "sigma/H", Domain.NONNEGATIVE, "s")
GAMMA = Assumption("gamma", "T is Gamma of shape K.")
gamma_deviation = Theorem(
    label="requirement/gamma-deviation",
    title="How large the deviation of a Gamma length can be",
    relation=Both(Le(s, Rational(1, 2)), Le(s, 1 / (sqrt(K) * xi)), Le(s**2, g * (1 - g))),
    source=OURS,
    given=(GAMMA,),
    proof="A variance on [0, 1]; R is a 1-Lipschitz function of T, of deviation mu/sqrt(K).",
    remark="g = F_K(K xi) - F_{K+1}(K xi)/xi, g' = F_{K+1}(K xi)/xi^2, s^2 = F_K - 2 F_{K+1}/xi + "
    "(K+1) F_{K+2}/(K xi^2) - g^2.",
)
ROOM = Assumption("room", "q + sqrt(kappa q) < 1.")
room = Quantity("room", "1 - q - sqrt(kappa q)", Domain.PROBABILITY)
_CORNER = 2 * (K + 1) * (K + 2)
gamma_deficient = Theorem(
    label="requirement/gamma-deficient",
    title="For Gamma lengths the deficient constant is sqrt((K+1)(K+2)/2)",
    relation=Both(
        Ge(n_square * kappa * q**3 * exp(K * xi), _CORNER),
        Le(n_square * kappa * q**3 * (1 - q) * room ** (2 * K), _CORNER),
    ),
    source=Source(PAPER, "Gamma case, deficient; both sides ours", Provenance.DERIVED),
    given=(GAMMA, ROOM),
    proof=(
        "Given T <= H, E R^2/(q H^2) is 2/((K+1)(K+2)) up to a factor between 1 and e^(K xi), the "
        "second moment of a Beta law tilted by e^(-K xi v). c <= q; s^2 >= (1 - q) E R^2/H^2; and "
        "c/q >= (1 - q - sqrt(kappa q))^K, as F_K(x)/x^K falls."
    ),
    remark="n/L sqrt(kappa) q^(3/2)/2, squared; both sides meet as xi falls to 0.",
)
c_upper = Quantity("c_upper", "F_K(K - K xi s sqrt(kappa))", Domain.PROBABILITY, r"c_+")
c_lower = Quantity(
    "c_lower", "F_K(K xi (1 - g) - sqrt(K kappa)), 0 where that is negative", Domain.PROBABILITY,
    r"c_-",
)  # fmt: skip
F_next = Quantity("F_next", "F_{K+1}(K xi)", Domain.PROBABILITY, r"F_{K+1}(K\xi)")
gamma_ample = Theorem(
    label="requirement/gamma-ample",
    title="For Gamma lengths the ample constant is sqrt(K)/F_K(K - sqrt(K kappa))",
    relation=Both(
        Ge(sqrt(kappa) * n * c_upper, 2 * sqrt(K) * xi),
        Le(sqrt(kappa) * n * c_lower * F_next, 2 * sqrt(K) * xi),
    ),
    source=Source(PAPER, "Gamma case, ample; both sides ours", Provenance.DERIVED),
    given=(GAMMA, Assumption("small-kappa", "kappa < K.")),
    proof="F_{K+1} <= sqrt(K) xi s <= 1 (growth/slope), and c = F_K(K xi (1 - g - s sqrt(kappa))), "
    "where K xi (1 - g), the mean of min(T, H) times K, is at most K.",
    uses=("requirement/gamma-deviation", "growth/slope"),
    remark="All of c_upper, c_lower tend to F_K(K - sqrt(K kappa)), and F_next to 1.",
)
