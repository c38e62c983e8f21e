"""How a solver's answer ended: one enumeration for all pillars."""

import enum


class Status(enum.Enum):
    """What is known of an optimum; the value says what to do next.

    A linear program has a `LinearStatus` of its own: it is a tool below the pillars that is always
    decided exactly, and may be unbounded, which no pillar's question is.
    """

    EXACT = "proved optimal and exact: use value, which lower and upper equal"
    ENCLOSED = (
        "the optimum lies between lower and upper, no farther apart than asked for; ask for a "
        "smaller width to narrow them"
    )
    WIDE = "the bounds hold but are farther apart than asked for: the record says why"
    APPROXIMATE = (
        "optimal up to rounding, with no bound proved; enclose the optimum where a proof is needed"
    )
    INFEASIBLE = (
        "nothing meets every bound; the record says by how much they have to be raised at least"
    )
    UNATTAINED = (
        "there is no optimum, only values that come closer to one without end; add a bound or a "
        "ridge"
    )
    INTERRUPTED = "stopped by the user; the bounds hold as far as they are known by then"
    UNDECIDED = (
        "the limits were reached first; the bounds hold as far as they are known: allow more time "
        "or iterations, or enclose the optimum"
    )
