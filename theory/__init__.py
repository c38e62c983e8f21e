"""What is claimed: theorems as data, with assumptions, relation, source and standing.

`catalogue` lists every statement that holdfast ships.
"""

from . import (
    adaptive_poisoning,
    chance,
    cmdp,
    concentration,
    flipping,
    model_based,
    poisoning,
    policy_classes,
    policy_mixtures,
    primal_dual,
    reward_learning,
    surrogate_costs,
    trust_region,
)
from .quantities import Domain, Quantity
from .relations import Both, Eq, Ge, Gt, Le, Lt, Ne, Relation, Sign
from .theorem import (
    Assumption,
    Printed,
    Provenance,
    Refutation,
    Source,
    Standing,
    Theorem,
)

__all__ = [
    "Assumption",
    "Both",
    "Domain",
    "Eq",
    "Ge",
    "Gt",
    "Le",
    "Lt",
    "Ne",
    "Printed",
    "Provenance",
    "Quantity",
    "Refutation",
    "Relation",
    "Sign",
    "Source",
    "Standing",
    "Theorem",
    "adaptive_poisoning",
    "catalogue",
    "chance",
    "cmdp",
    "concentration",
    "flipping",
    "model_based",
    "poisoning",
    "policy_classes",
    "policy_mixtures",
    "primal_dual",
    "reward_learning",
    "surrogate_costs",
    "trust_region",
]

_AREAS = (
    cmdp,
    policy_classes,
    chance,
    flipping,
    policy_mixtures,
    surrogate_costs,
    trust_region,
    primal_dual,
    model_based,
    concentration,
    poisoning,
    adaptive_poisoning,
    reward_learning,
)


def catalogue() -> tuple[Theorem, ...]:
    """Every theorem that ships with holdfast, area by area in order of statement.

    Raises
    ------
    ValueError: if two theorems share a label, a `uses` edge dangles, or a statement is called false
        without the list of what is printed.
    """
    theorems = tuple(
        value for area in _AREAS for value in vars(area).values() if isinstance(value, Theorem)
    )
    labels = [theorem.label for theorem in theorems]
    for label in labels:
        if labels.count(label) > 1:
            raise ValueError(f"label {label!r} is used twice")
    for theorem in theorems:
        if theorem.standing.is_false is not (theorem.refutation is not None):
            raise ValueError(
                f"{theorem.label} is {theorem.standing.value}; a statement has a refutation, which "
                "lists what is printed, exactly if it is false"
            )
        for used in theorem.uses:
            if used not in labels:
                raise ValueError(f"{theorem.label} uses {used!r}, which is not in the catalogue")
    return theorems
