"""Chance constraints: joint risks over a horizon, and windows that look ahead from every state.

``solve(ChanceProblem(model, unsafe, horizon), level)`` is the exact optimum under
Pr(an unsafe state is visited) <= level.  Names load on first use.
"""

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:
    from .chord import minimum_risk as minimum_risk
    from .chord import solve as solve
    from .enumeration import count_policies as count_policies
    from .enumeration import enumerate_policies as enumerate_policies
    from .envelope import Frontier as Frontier
    from .envelope import frontier as frontier
    from .evaluation import evaluate_episode_flip as evaluate_episode_flip
    from .evaluation import evaluate_policy as evaluate_policy
    from .evaluation import evaluate_step_flip as evaluate_step_flip
    from .eventual import EventualSolution as EventualSolution
    from .eventual import solve_eventual as solve_eventual
    from .eventual_risk import least_eventual_risk as least_eventual_risk
    from .first_hit import FirstHitSolution as FirstHitSolution
    from .first_hit import first_window as first_window
    from .first_hit import solve_first_hit as solve_first_hit
    from .flag_program import solve_by_flag_program as solve_by_flag_program
    from .hull import FlipBetween as FlipBetween
    from .hull import best_flip as best_flip
    from .hull import upper_hull as upper_hull
    from .problem import ChanceProblem as ChanceProblem
    from .solution import ChanceSolution as ChanceSolution
    from .solution import RandomisedCell as RandomisedCell
    from .solution import TimedPolicy as TimedPolicy
    from .splitting import resolutions as resolutions
    from .unrolling import unroll as unroll

_HOMES = {
    "ChanceProblem": "problem",
    "ChanceSolution": "solution",
    "EventualSolution": "eventual",
    "FirstHitSolution": "first_hit",
    "FlipBetween": "hull",
    "Frontier": "envelope",
    "RandomisedCell": "solution",
    "TimedPolicy": "solution",
    "best_flip": "hull",
    "count_policies": "enumeration",
    "enumerate_policies": "enumeration",
    "evaluate_episode_flip": "evaluation",
    "evaluate_policy": "evaluation",
    "evaluate_step_flip": "evaluation",
    "first_window": "first_hit",
    "frontier": "envelope",
    "least_eventual_risk": "eventual_risk",
    "minimum_risk": "chord",
    "resolutions": "splitting",
    "solve": "chord",
    "solve_by_flag_program": "flag_program",
    "solve_eventual": "eventual",
    "solve_first_hit": "first_hit",
    "unroll": "unrolling",
    "upper_hull": "hull",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
