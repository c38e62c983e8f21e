"""Policies that are drawn: how many samples of levels or of policies are enough.

Notation as in `policy_mixtures`.

Main results: `sampled_levels`, `limit_at_the_minimum`, `selection_bound`, `union_bound`.
"""

from sympy import Rational, exp

from ..quantities import Domain, Quantity
from ..relations import Eq, Le, Lt
from ..theorem import Printed, Provenance, Refutation, Source, Standing, Theorem
from .flipping import FIDELITY, PAPER
from .policy_mixtures import (
    _COUNTED,
    _EACH,
    _FIXED,
    _LEVELS,
    ABOVE,
    INDEPENDENT,
    TIGHTENED,
    failure,
)

S_levels = Quantity("S", "sampled levels", Domain.TRIALS, "S")
room = Quantity("room", "level less the least level", Domain.PROBABILITY, r"(\alpha-\alpha_{\min})")
sampled_levels = Theorem(
    label="policy-mixtures/sampled-levels",
    title="Above the least level, the program over policies of random levels is soon feasible",
    relation=Le(failure, exp(-S_levels * room)),
    source=Source(
        f"holdfast, for {PAPER}", "repairs feasibility in Theorem 7's limit", Provenance.DERIVED
    ),
    given=(ABOVE,),
    standing=Standing.REPAIRED,
    proof="No uniform level falls between the two with probability (1 - room)^S.",
    trivial=Rational(1),
    remark=(
        "Fails means infeasible, each policy spending its level. Repair: alpha > alpha_min. Says "
        "that the program has a value in the end, not what that value tends to."
    ),
)
limit_at_the_minimum = Theorem(
    label="policy-mixtures/limit",
    title="The program over policies of random levels is feasible with positive probability",
    relation=Lt(failure, 1),
    source=Source(
        "holdfast", f"a consequence of Theorem 7 of {PAPER}, its limit", Provenance.DERIVED
    ),
    standing=Standing.FALSE_UNPRINTED,
    proof="A program whose value converges has one in the end. The source: levels become dense.",
    remark=(
        "Not a printed theorem, but needed for one. False at the least level: every sampled level "
        "is almost surely above it, and a policy that spends its level is too risky."
    ),
    refutation=Refutation(
        FIDELITY + " That the program is feasible is our consequence and not printed.",
        "An edge: only where alpha is the least level that any policy meets. Above it the program "
        "is feasible in the end (policy-mixtures/sampled-levels).",
        (
            Printed(
                "S levels are drawn uniformly, and a policy is trained at each.",
                "Uniform on the middles of four cells, three draws; all samples are counted.",
            ),
            Printed(
                "The mixture of the trained policies has to be safe with probability 1 - alpha.",
                "A trained policy spends its level, and alpha is the least level that one exists "
                "for, so that every trained policy is too risky, and so is every mixture.",
                Eq(room, 0),
            ),
        ),
    ),
)
K_policies = Quantity("K", "policies of the class", Domain.TRIALS, r"|\Theta|")
selection_bound = Theorem(
    label="policy-mixtures/selection-bound",
    title="The policy chosen by its estimated cost meets alpha_s as often as a fixed one",
    relation=Le(failure, _FIXED),
    source=Source(PAPER, "proof of Theorem 8, its first sentence", Provenance.READ),
    given=(TIGHTENED, INDEPENDENT),
    standing=Standing.REFUTED,
    proof="As printed: Hoeffding's inequality for the chosen policy, as if it were fixed.",
    uses=("concentration/hoeffding",),
    remark=(
        "False: the best of many that look safe is one whose samples were lucky. That the policy "
        "misses alpha_s says nothing yet of the chance constraint, on which Theorem 8 concludes. "
        "Repaired by policy-mixtures/union-bound."
    ),
    refutation=Refutation(
        FIDELITY + _EACH,
        "It strikes the step on which the printed proof rests, at numbers such as N = 100 and a "
        "hundred policies; for one fixed policy the bound is Hoeffding's and true.",
        (
            _LEVELS,
            _COUNTED,
            Printed(
                "The class is what a step of at most delta in D from a feasible policy reaches.",
                "The sentence is about the samples of the chosen policy alone and uses neither; "
                "each policy has a risk of 21/100 in one step.",
            ),
            Printed(
                "The discount gamma_c is close enough to 1, and T is small enough.",
                "T = 1 and gamma_c = 1/2; the sentence uses neither, and how near is not printed.",
            ),
        ),
    ),
)
union_bound = Theorem(
    label="policy-mixtures/union-bound",
    title="The policy chosen by its estimated cost fails with at most K times that probability",
    relation=Le(failure, K_policies * _FIXED),
    source=Source(f"holdfast, for {PAPER}", "repairs Theorem 8", Provenance.DERIVED),
    given=(TIGHTENED, INDEPENDENT),
    standing=Standing.REPAIRED,
    proof="Hoeffding's inequality for each policy that is not safe, and a union over them.",
    uses=("concentration/hoeffding",),
    trivial=Rational(1),
    remark="Repair: the factor K, for a finite class.",
)
