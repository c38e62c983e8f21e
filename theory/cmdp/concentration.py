r"""Concentration of empirical frequencies, checked against exact tails.

Main results: `hoeffding`, `weissman`.
"""

from sympy import Rational, exp

from ..quantities import Domain, Quantity
from ..relations import Le
from ..theorem import Assumption, Provenance, Source, Theorem

INDEPENDENT = Assumption("independent", "The samples are independent and identically distributed.")

tail = Quantity("tail", "probability of the deviation", Domain.PROBABILITY, r"\Pr(\hat p-p\ge t)")
N_samples = Quantity("N", "number of samples", Domain.TRIALS, "N")
t_deviation = Quantity("t", "deviation", Domain.PROBABILITY, "t")
hoeffding = Theorem(
    label="concentration/hoeffding",
    title="Hoeffding's inequality for a frequency",
    relation=Le(tail, exp(-2 * N_samples * t_deviation**2)),
    source=Source("Hoeffding 1963", "Theorem 1", Provenance.RECALLED),
    given=(INDEPENDENT,),
    proof="Chernoff's bound with the moment generating function of a bounded variable.",
    trivial=Rational(1),
    remark="For a fixed p; a data-dependent choice needs a union bound.",
)

l1_tail = Quantity(
    "tail",
    "probability of the l1 deviation",
    Domain.PROBABILITY,
    r"\Pr(\|\hat P-P\|_1\ge\varepsilon)",
)
n_outcomes = Quantity("S", "number of outcomes", Domain.TRIALS, "S")
radius = Quantity("epsilon", "l1 radius", Domain.POSITIVE, r"\varepsilon")
weissman = Theorem(
    label="concentration/weissman",
    title="Weissman's inequality for an empirical law in l1",
    relation=Le(l1_tail, (2**n_outcomes - 2) * exp(-N_samples * radius**2 / 2)),
    source=Source("Weissman et al. 2003", "Theorem 2.1", Provenance.RECALLED),
    given=(INDEPENDENT,),
    proof="The l1 distance is twice a maximum over 2^S - 2 proper events; Hoeffding and a union.",
    uses=("concentration/hoeffding",),
    trivial=Rational(1),
)
