r"""Poisoning labels where the features are trained too: one equation in place of n.

Notation as for poisoning.  ``a`` in R^N are the scores of the pairs under the target's reward, with
the target's features.  The program with one equation has ``a.zeta = a.d`` for ``Phi zeta = Phi d``,
the box as before; it is a fractional knapsack.

Main results: `one_direction`, `expressive`, `joint_argmin`, `trained_trunk`.
"""

from sympy import Abs

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le, Lt
from ..theorem import Assumption, Printed, Provenance, Refutation, Source, Standing, Theorem
from .least_cost import NOTE, PAPER, cost

cost_one = Quantity(
    "cost_one",
    "least l1 cost under the one equation a.zeta = a.d",
    Domain.NONNEGATIVE,
    r"C_1",
    program=(
        r"\min_\zeta\|\zeta\|_1\quad\text{subject to}\quad a^\top\zeta"
        r"=a^\top d,\quad -\rho_i\theta_{O,i}\le\zeta_i\le\rho_i(1-\theta_{O,i})"
    ),
)
greedy = Quantity(
    "greedy",
    "cost of changing the pairs by decreasing abs(a_i), each as far as its box allows",
    Domain.NONNEGATIVE,
    r"G",
)
gap = Quantity("gap", "a.d", latex=r"a^\top d")
a_largest = Quantity("a_largest", "largest abs(a_i)", Domain.NONNEGATIVE, r"\|a\|_\infty")
one_direction = Theorem(
    label="adaptive-poisoning/one-direction",
    title="Under one equation the greedy change is best, and it costs no more than under n",
    relation=Both(Eq(cost_one, greedy), Ge(greedy * a_largest, Abs(gap)), Le(greedy, cost)),
    source=Source("holdfast", f"behind Theorem 6 of {PAPER}", Provenance.DERIVED),
    proof=(
        "A fractional knapsack: each unit of cost moves a.zeta by at most abs(a_i). The scores a "
        "are a combination of rows of Phi, so Phi zeta = Phi d implies a.zeta = a.d."
    ),
    uses=("poisoning/lower-bound",),
    remark="A victim may always scale its reward, so this bounds any adaptive cost from below.",
)

cost_trained = Quantity(
    "cost_trained",
    "least l1 cost at which the features that the victim ends with teach the target's reward",
    Domain.NONNEGATIVE,
    r"C_\omega",
    program=r"\min_\zeta\|\zeta\|_1\quad\text{subject to}\quad\Phi_\omega\zeta=\Phi_\omega d,\quad "
    r"-\rho_i\theta_{O,i}\le\zeta_i\le\rho_i(1-\theta_{O,i})",
)
EXPRESSIVE = Assumption(
    "expressive",
    "The victim ends with features that score in the direction a and no other.",
)
expressive = Theorem(
    label="adaptive-poisoning/expressive",
    title="Where the victim's features represent the direction a alone, one equation is enough",
    relation=Eq(cost_trained, cost_one),
    source=Source(
        "holdfast", f"Theorem 6 of {PAPER}, {NOTE}, and where training ends", Provenance.DERIVED
    ),
    given=(EXPRESSIVE,),
    standing=Standing.REPAIRED,
    proof="Then the row space of the victim's Phi is the span of a, so both programs are the same.",
    uses=("adaptive-poisoning/one-direction",),
    remark=(
        "Repair: the note asks that such features exist; that the victim ends with them is our "
        "hypothesis. Without it one equation is a lower bound, and an attacker's hope."
    ),
)

joint_argmin = Theorem(
    label="adaptive-poisoning/joint-argmin",
    title="One equation is enough where the victim minimises its loss over features and reward",
    relation=Eq(cost_trained, cost_one),
    source=Source(PAPER, f"Theorem 6, {NOTE}, read with a joint minimiser", Provenance.RECALLED),
    standing=Standing.FALSE_AS_RECALLED,
    proof="As read: the victim could have ended with features that score in the direction a.",
    uses=("adaptive-poisoning/expressive",),
    remark=(
        "False for a tabular class, which can represent everything: its minimiser scores each pair "
        "logit theta_i, so the target's policy is learnt from the target's labels alone, and they "
        "cost d. A warning about one reading, no refutation: the note has the theorem with a "
        "hypothesis of expressiveness and calls it conservative."
    ),
    refutation=Refutation(
        "The paper was not read. A note on it states Theorem 6 with a hypothesis of expressiveness "
        "and calls the bound conservative; the adaptive attack problem is unread (2026-11-29).",
        "It concerns one reading of the hypothesis. With features that end in the direction a "
        "alone the equality is true (adaptive-poisoning/expressive).",
        (
            Printed(
                "As recalled: the victim's features can represent the target's direction.",
                "Each pair has a feature of its own, which can represent every direction.",
            ),
            Printed(
                "Our reading: the victim minimises its loss over features and reward together.",
                "The minimiser scores each pair logit theta_i, so the target's scores need the "
                "target's labels, while one equation is met for less.",
                Lt(cost_one, cost_trained),
            ),
        ),
    ),
)

head_gap = Quantity(
    "head_gap",
    "square of the distance of the gradients of both losses in the head",
    Domain.NONNEGATIVE,
    r"\|\nabla_h L-\nabla_h L'\|_2^2",
)
trunk_gap = Quantity(
    "trunk_gap",
    "square of the distance of the gradients of both losses in the trunk",
    Domain.NONNEGATIVE,
    r"\|\nabla_\omega L-\nabla_\omega L'\|_2^2",
)
MATCHED = Assumption(
    "matched",
    "The labels have the target's moments in the features of the start, as the cheapest ones have.",
)
trained_trunk = Theorem(
    label="adaptive-poisoning/trained-trunk",
    title="The cheapest labels teach a trunk what the target teaches it, as they do a head",
    relation=Eq(trunk_gap, 0),
    source=Source(
        "holdfast",
        f"beside Theorem 1 of {PAPER}, for features that are trained",
        Provenance.DERIVED,
    ),
    given=(MATCHED,),
    standing=Standing.FALSE_UNPRINTED,
    proof="None is printed: that the losses are the same is about fixed features.",
    uses=("reward-learning/same-training",),
    remark=(
        "Nothing that is printed is accused: features that are trained have a theorem of their "
        "own. The cheapest labels match the moments of the features at the start, and the trunk's "
        "gradient is made of the inputs behind them, whose moments nothing matches."
    ),
    refutation=Refutation(
        "The paper was not read. The notes on it treat trained features apart (Theorem 6) and say "
        "nowhere that the cheapest labels for fixed features teach them (2026-11-29).",
        "The first step of a trunk that is trained. How much of the attack is lost at the end "
        "depends on how far the features drift, which this says nothing about.",
        (
            Printed(
                "As recalled: the cheapest labels have the target's moments in the features.",
                "They have, in those of the start, so that the head's gradient is the target's.",
                Eq(head_gap, 0),
            ),
            Printed(
                "Our reading: the victim descends its loss in the trunk as well.",
                "A trunk of one layer, whose gradient is that of the chain rule.",
            ),
        ),
    ),
)
