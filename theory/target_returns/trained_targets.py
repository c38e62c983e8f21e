r"""What safe tuning promises of the target of a trained policy.

Costs of targets are those of one network, :math:`J_g(\pi_z)`, UN-normalised; they are no draw of a
Gaussian process, and that they look like one to the tuner is believed, not known.  So these are the
statements of safe tuning with a belief that each network is a chance to refute.

Main results: `evaluated`, `recommended`; `asked_for` is false, and printed nowhere.
"""

from ..quantities import Domain, Quantity
from ..relations import Le
from ..theorem import Assumption, Printed, Provenance, Refutation, Source, Standing, Theorem
from .safe_tuning import FIDELITY, PAPER, Delta

BELIEF = Assumption(
    "belief",
    "The bounds of the tuner hold for the costs of the network with probability 1 - Delta, and its "
    "seeds are safe.",
)

unsafe = Quantity(
    "unsafe",
    "probability that a tuning evaluates an unsafe target",
    Domain.PROBABILITY,
    r"\Pr(\exists j:J_g(\pi_{z_j})>b)",
)
evaluated = Theorem(
    label="trained-targets/evaluated",
    title="Probability Delta at most: a safe tuner evaluates an unsafe target of a trained policy",
    relation=Le(unsafe, Delta),
    source=Source(PAPER, "Theorem 2, of a trained policy", Provenance.DERIVED),
    given=(BELIEF,),
    proof="What is evaluated is certified, and where the bounds hold what is certified is safe.",
    uses=("safe-tuning/safety",),
    remark="Episodes are drawn from recorded ones, so that every expected cost is known exactly.",
)
misled = Quantity(
    "misled",
    "probability that a tuning recommends an unsafe target",
    Domain.PROBABILITY,
    r"\Pr(J_g(\pi_{\hat z})>b)",
)
recommended = Theorem(
    label="trained-targets/recommended",
    title="Probability Delta at most: a safe tuner recommends an unsafe target of a trained policy",
    relation=Le(misled, Delta),
    source=Source(f"holdfast, for {PAPER}", "Theorem 2, of a trained policy", Provenance.DERIVED),
    given=(BELIEF,),
    proof="It is certified; see the statement on what is evaluated.",
    uses=("trained-targets/evaluated",),
    remark="A tuner whose bounds were seen to fail recommends nothing.",
)

J_plain = Quantity(
    "J_plain", "expected cost at the target of the best safe episode and the limit",
    Domain.NONNEGATIVE, r"J_g(\pi_{(R,b)})",
)  # fmt: skip
limit = Quantity("b", "limit of the cost", Domain.NONNEGATIVE, "b")
asked_for = Theorem(
    label="trained-targets/asked-for",
    title="Asked for a safe return and the limit as the cost, a trained policy keeps the limit",
    relation=Le(J_plain, limit),
    source=Source("holdfast", f"targets that are not tuned, beside {PAPER}", Provenance.DERIVED),
    standing=Standing.FALSE_UNPRINTED,
    proof="None: what a network does is near to what it is asked for, and not within it.",
    refutation=Refutation(
        FIDELITY,
        "It is what an untuned decision transformer would need; the paper tunes since it fails.",
        (
            Printed(
                "Figure 2: returns and costs differ from the targets, smoothly.",
                "A network is trained on episodes of which many are safe, and is asked for the "
                "return of the best of these and a cost of b.",
            ),
        ),
    ),
)
