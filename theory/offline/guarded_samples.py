r"""How far the model of logged data may be off, and what a guardian leaves out.

:math:`\hat T` are the frequencies of successors among the n(s, a) logged visits of a pair, and U
the pairs with n >= n_0, of K; S is the number of states.

Main results: `finite_sample`, `every_count`, `coverage`.
"""

from sympy import Rational, exp

from ..quantities import Domain, Quantity
from ..relations import Le
from ..theorem import Assumption, Provenance, Source, Theorem
from .guarded import OURS, eps

failing = Quantity("failing", "probability that some pair of U errs so much", Domain.PROBABILITY,
                   r"\Pr(\max_U\|\hat T-T\|_1\ge\varepsilon)")  # fmt: skip
n_states = Quantity("S", "number of states", Domain.TRIALS, "S")
n_pairs = Quantity("K", "number of pairs", Domain.TRIALS, "K")
n_least = Quantity("n_0", "least count of a pair of U", Domain.TRIALS, "n_0")
SUCCESSORS = Assumption("independent", "Successors of a pair are independent draws.")
_EVENTS = n_pairs * (2**n_states - 2)
finite_sample = Theorem(
    label="guarded/finite-sample",
    title="All pairs that were seen n_0 times or more have small errors at once",
    relation=Le(failing, _EVENTS * exp(-n_least * eps**2 / 2)),
    source=OURS,
    given=(SUCCESSORS,),
    proof="Frequencies are reverse martingales, so that Hoeffding's inequality holds for all "
    "counts from n_0 on at once; 2^S - 2 events a pair, and K pairs.",
    uses=("concentration/weissman",),
    trivial=Rational(1),
    remark="OG-D: eps <= sqrt(2/n_0 log((2^S - 2) K/delta)). The counts may depend on what was "
    "seen, as those of trajectories do, since the bound has n_0, not the count itself.",
)
delta = Quantity("delta", "probability allowed to fail", Domain.PROBABILITY, r"\delta")
crossing = Quantity("crossing", "probability that some pair errs too much at some count",
                    Domain.PROBABILITY, "P")  # fmt: skip
every_count = Theorem(
    label="guarded/every-count",
    title="Each pair has an error by its own count, for all counts up to N at once",
    relation=Le(crossing, delta),
    source=OURS,
    given=(SUCCESSORS,),
    proof="Weissman's inequality at each count, and a union over N counts and K pairs.",
    uses=("concentration/weissman",),
    remark="The error at count n is sqrt(2/n log((2^S - 2) K N/delta)).",
)

missed = Quantity("missed", "probability that some threshold set is worse than it looks by t",
                  Domain.PROBABILITY, r"\Pr(\sup_f(p_f-\hat p_f)\ge t)")  # fmt: skip
N = Quantity("N", "samples held out", Domain.TRIALS, "N")
t = Quantity("t", "deviation", Domain.PROBABILITY, "t")
coverage = Theorem(
    label="guarded/coverage",
    title="Held-out samples tell what a guardian leaves out, whatever threshold is chosen on them",
    relation=Le(missed, exp(-2 * N * t**2)),
    source=Source("Massart 1990 (the inequality of Dvoretzky, Kiefer and Wolfowitz)",
                  "Theorem 1, one-sided", Provenance.RECALLED),
    given=(
        Assumption("held-out", "The score of pairs was made from other, independent data."),
        Assumption("half", "exp(-2 N t^2) <= 1/2, as its proof needs."),
    ),
    proof="Sets {score < f} are nested: it is the largest deviation of a distribution function.",
    uses=("concentration/hoeffding",),
    trivial=Rational(1),
    remark="OG-E. For a set chosen before, it is concentration/hoeffding; for one of M sets that "
    "are not nested, M times that.",
)  # fmt: skip
