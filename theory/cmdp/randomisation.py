"""How much an optimal policy has to randomise, and how less is attained.

Notation as in `foundations`.

Main results: `few_randomisations`, `coordinate_vertex`, `splitting`.
"""

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Provenance, Source, Theorem
from .foundations import BASIC, FEASIBLE, ONE_COST, ONE_STATE

N_random = Quantity(
    "N", "randomisations: sum over reached states of (number of actions - 1)", Domain.COUNT, "N"
)
B_binding = Quantity("B", "constraints that bind", Domain.COUNT, "B")
m_constraints = Quantity("m", "constraints", Domain.COUNT, "m")
few_randomisations = Theorem(
    label="cmdp/randomisations",
    title="No more randomisations than binding constraints",
    relation=Both(Le(N_random, B_binding), Le(B_binding, m_constraints)),
    source=Source("Beutler and Ross 1985; Altman 1999", "ch. 3", Provenance.RECALLED),
    given=(FEASIBLE, BASIC),
    proof="A basic solution has at most |S_reached| + B positive pairs; each state needs one.",
    uses=("cmdp/vertices",),
    remark="For one initial law only; several randomisations may sit in one state.",
)

n_actions = Quantity("n_actions", "largest number of actions used in a state", Domain.COUNT, "n")
J_before = Quantity("J", "return before the reduction", latex=r"J_r(\pi)")
J_after = Quantity("J_new", "return after the reduction", latex=r"J_r(\pi')")
cost_before = Quantity("cost", "cost before, own discount", latex=r"J_c(\pi)")
cost_after = Quantity("cost_new", "cost after, own discount", latex=r"J_c(\pi')")
coordinate_vertex = Theorem(
    label="cmdp/coordinate-vertex",
    title="One cost constraint, two discounts: two actions in each state are enough",
    relation=Both(Le(n_actions, 2), Ge(J_after, J_before), Le(cost_after, cost_before)),
    source=Source("holdfast", "coordinate-vertex theorem", Provenance.DERIVED),
    given=(ONE_COST,),
    proof=(
        "In pi(.|s) return and cost are linear-fractional with positive denominators (renewal at "
        "s); a linear-fractional objective over a simplex cut by a half-space peaks at a vertex, "
        "which has at most two positive entries. Go through the states."
    ),
    remark="Reward and cost may have different discounts; one initial law.",
)

p_action = Quantity("p", "probability of the first action", Domain.PROBABILITY, r"\pi(a_1|s)")
q_split = Quantity("q_split", "weight of the first resolution", latex="q")
x_first = Quantity("x_1", "occupancy of s, first resolution", Domain.NONNEGATIVE, "x_1(s)")
x_second = Quantity("x_2", "occupancy of s, second resolution", Domain.NONNEGATIVE, "x_2(s)")
distance = Quantity(
    "distance",
    "l1 distance of the occupancy to the mixture",
    Domain.NONNEGATIVE,
    r"\|\rho^\pi-q\rho^{\pi_1}-(1-q)\rho^{\pi_2}\|_1",
)
splitting = Theorem(
    label="cmdp/splitting",
    title="Randomising in one state is flipping once per episode, with another probability",
    relation=Both(
        Eq(p_action, q_split * x_first / (q_split * x_first + (1 - q_split) * x_second)),
        Eq(distance, 0),
    ),
    source=Source("Feinberg and Rothblum 2012", "splitting", Provenance.RECALLED),
    given=(ONE_STATE,),
    proof="Both sides have the same conditional law in s and solve the same flow equations.",
    uses=("cmdp/stationary-suffices",),
)
