r"""What observations of a Gaussian process can say: :math:`I=\frac12\log\det(I+\nu^{-2}K)`.

Stated for :math:`e^{2I}=\det(I+\nu^{-2}K)`, which is rational where the kernel is;
:math:`\Gamma=e^{2\gamma_N}` is its maximum over N targets, *with repetitions*.

Main results: `chain_rule`, `greedy`, `spectrum`, `water`, `trace`, `variances`.
"""

from sympy import exp, log

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Le
from ..theorem import Assumption, Provenance, Sharp, Source, Theorem
from .confidence import PLS, SRINIVAS, determinant_t, k_largest, n_targets, noise

KERNEL = Assumption("kernel", "K is symmetric and positive semi-definite.")

product = Quantity(
    "product", "product of 1 + sigma_{t-1}^2(x_t)/nu^2", Domain.POSITIVE,
    r"\prod_t(1+\nu^{-2}\sigma_{t-1}^2(x_t))",
)  # fmt: skip
chain_rule = Theorem(
    label="information-gain/chain-rule",
    title="The information is the sum of what each observation adds",
    relation=Eq(determinant_t, product),
    source=Source(SRINIVAS, "Lemma 5.3", Provenance.RECALLED),
    given=(KERNEL,),
    proof="Schur complements: the pivots of I + K/nu^2 are 1 + sigma_{t-1}^2(x_t)/nu^2.",
    remark="In logarithms: I = (1/2) sum log(1 + sigma_{t-1}^2(x_t)/nu^2).",
)
most = Quantity("most", "exp(2 gamma_N), over multisets", Domain.POSITIVE, r"\Gamma_N")
greedy_t = Quantity("greedy", "exp(2 I) of the greedy targets", Domain.POSITIVE, r"\Gamma^{gr}_N")
distinct = Quantity("distinct", "the same over sets", Domain.POSITIVE, r"\Gamma^{set}_N")
greedy = Theorem(
    label="information-gain/greedy",
    title="Observing where the variance is largest gains at least 1 - 1/e of the most",
    relation=Both(
        Le(most ** (1 - exp(-1)), greedy_t),
        Le(greedy_t, most),
    ),
    source=Source(SRINIVAS, "after Nemhauser et al. 1978", Provenance.RECALLED),
    given=(KERNEL,),
    proof="The information of a multiset is monotone and submodular.",
)
spectral = Quantity(
    "spectral", "max of prod(1 + m_t lambda_t / nu^2), whole m_t >= 0 of sum N", Domain.POSITIVE,
    r"\max_{m\in\mathbb N^n}\prod_t(1+\nu^{-2}m_t\lambda_t)",
)  # fmt: skip
spectrum = Theorem(
    label="information-gain/spectrum",
    title="The eigenvalues of the whole grid bound the information, up to 1 - 1/e",
    relation=Le(most ** (1 - exp(-1)), spectral),
    source=Source(SRINIVAS, "Theorem 8, its form", Provenance.RECALLED),
    given=(KERNEL,),
    proof="Greedy observation of eigenvectors is at least as good as that of targets.",
    uses=("information-gain/greedy",),
    remark="Without the factor it was refuted on no case here, and is unproved: not claimed.",
)
water = Quantity(
    "water", "the same over real m_t: product of level lambda_t / nu^2 where above 1",
    Domain.POSITIVE, r"\max_{m\in\mathbb R_+^n}\prod_t(1+\nu^{-2}m_t\lambda_t)",
)  # fmt: skip
water_filling = Theorem(
    label="information-gain/water-filling",
    title="With real numbers of observations of eigenvectors no factor is needed",
    relation=Le(most, water),
    source=Source("holdfast", "sharpens information-gain/spectrum", Provenance.DERIVED),
    given=(KERNEL,),
    proof=(
        "det(I + K_A/nu^2) = det(I + D U' diag(m) U D/nu^2), D^2 the eigenvalues; Hadamard, and "
        "the middle has the trace N."
    ),
)
N_observations = Quantity("N", "number of observations", Domain.COUNT, "N")
trace = Theorem(
    label="information-gain/trace",
    title="The trace bounds the information: n targets, N observations",
    relation=Le(most, (1 + N_observations * k_largest / (noise * n_targets)) ** n_targets),
    source=Source("holdfast", "for the stopping times", Provenance.DERIVED),
    given=(KERNEL,),
    proof="The same determinant has n rows; arithmetic and geometric mean of its eigenvalues.",
    sharp=(Sharp("1", "Attained by independent targets, each observed equally often."),),
)
variance_sum = Quantity(
    "variances", "sum of sigma_{t-1}^2(x_t)", Domain.NONNEGATIVE, r"\sum_t\sigma^2_{t-1}(x_t)"
)
variances = Theorem(
    label="information-gain/variances",
    title="The variances met on the way are at most a constant times the information",
    relation=Le(variance_sum, k_largest * log(determinant_t) / log(1 + k_largest / noise)),
    source=Source(PLS, f"the constant of Theorem 3; {SRINIVAS}, Lemma 5.4", Provenance.DERIVED),
    given=(KERNEL,),
    proof="s / log(1 + s/nu^2) increases in s; information-gain/chain-rule.",
    uses=("information-gain/chain-rule",),
    remark="C_nu = 1/log(1 + nu^-2), inline in PLS without k <= 1, is its case k_max = 1.",
    sharp=(
        Sharp(
            "k/log(1 + k/nu^2)", "Attained by one observation of a target of the largest variance."
        ),
    ),
)
