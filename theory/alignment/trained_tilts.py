r"""How near a policy that was trained is to the tilt that it should be, by what can be measured.

Whatever a training ends with, its law is compared with exact ones: that of the algorithm, and those
of ways to get the algorithm wrong.  The span of a log ratio is its largest less its smallest value
over responses; distances are total variations, half the l1 distance.

Main results: `stepwise`, `lacking`.
"""

from sympy import exp

from ..quantities import Domain, Quantity
from ..relations import Both, Le
from ..theorem import Assumption, Provenance, Source, Theorem
from .tilts import beta

OURS = Source("holdfast", "for policies that were trained", Provenance.DERIVED)


def _distance(name: str, meaning: str, latex: str) -> Quantity:
    return Quantity(name, meaning, Domain.PROBABILITY, latex)


def _span(name: str, meaning: str, latex: str) -> Quantity:
    return Quantity(name, f"span of log({meaning})", Domain.NONNEGATIVE, latex)


distance = _distance("distance", "from the merge to the tilt by r + q lambda g", "d")
first = _span("first", "pi_1 / tilt of the reference by r", "s_1")
second = _span("second", "pi_2 / tilt of pi_1 by lambda g", "s_2")
cold = _distance("cold", "from the merge to the tilt by r + q g", "d_{\\beta}")
second_cold = _span("second_cold", "pi_2 / tilt of pi_1 by g", "s_{\\beta}")
stale = _distance("stale", "from the merge to the tilt by (1-q) r + q lambda g", "d_{ref}")
second_stale = _span("second_stale", "pi_2 / tilt of the reference by lambda g", "s_{ref}")
share = Quantity("share", "share q of the second policy", Domain.PROBABILITY, "q")
FULL = Assumption("full-support", "Reference and policies give every response to every prompt.")
stepwise = Theorem(
    label="trained-tilts/stepwise",
    title="The errors of two stages add up to no more than their sum, merged or not",
    relation=Both(
        Le(1 + distance, (1 - distance) * exp((first + share * second) / 2)),
        Le(1 + cold, (1 - cold) * exp((first + share * second_cold) / 2)),
        Le(1 + stale, (1 - stale) * exp(((1 - share) * first + share * second_stale) / 2)),
    ),
    source=OURS,
    given=(FULL,),
    proof="The log of the merge pi_1^(1-q) pi_2^q is that of the tilt plus e_1 + q e_2, less a "
    "constant; and TV is at most tanh(s/4) for a log ratio of span s. The same for stages that are "
    "right for other tilts.",
    uses=("tilts/gibbs",),
    remark="q = 1 is the second policy. The second line is of a stage at beta in place of "
    "beta/lambda, the third of one relative to the first reference.",
)

lacks = Quantity("lacks", "J_f at the tilt by f less J_f at the policy", Domain.NONNEGATIVE, "D")
far = _distance("far", "from the policy to the tilt by f, mean over prompts", "d")
other_lacks = Quantity("other_lacks", "the same of another f'", Domain.NONNEGATIVE, "D'")
other = _distance("other", "from the policy to the tilt by f', mean over prompts", "d'")
lacking = Theorem(
    label="trained-tilts/lacking",
    title="A policy that lacks little of the value is near the optimum",
    relation=Both(Le(2 * beta * far**2, lacks), Le(2 * beta * other**2, other_lacks)),
    source=OURS,
    given=(FULL,),
    proof="The gap is beta KL(pi | tilt); Pinsker's inequality at each prompt, and Jensen's.",
    uses=("tilts/gibbs",),
    remark="With a group's mean as baseline f is (1 - 1/G) r, leaving one out it is r; f' is that "
    "of the other.",
)
