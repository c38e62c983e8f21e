"""Chance constraints: joint risks over a horizon, and windows that look ahead from every state.

``solve(ChanceProblem(model, unsafe, horizon), level)`` is the exact optimum under
Pr(an unsafe state is visited) <= level.  Names load on first use.
"""

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:
    from .forever.eventual import EventualSolution as EventualSolution
    from .forever.eventual import enclose_eventual as enclose_eventual
    from .forever.eventual_risk import least_eventual_risk as least_eventual_risk
    from .forever.first_hit import FirstHitSolution as FirstHitSolution
    from .forever.first_hit import first_window as first_window
    from .forever.first_hit import solve_first_hit as solve_first_hit
    from .horizon.chord import minimum_risk as minimum_risk
    from .horizon.chord import solve as solve
    from .horizon.enumeration import count_policies as count_policies
    from .horizon.enumeration import enumerate_policies as enumerate_policies
    from .horizon.envelope import Frontier as Frontier
    from .horizon.envelope import frontier as frontier
    from .horizon.evaluation import evaluate_episode_flip as evaluate_episode_flip
    from .horizon.evaluation import evaluate_policy as evaluate_policy
    from .horizon.evaluation import evaluate_step_flip as evaluate_step_flip
    from .horizon.flag_program import solve_by_flag_program as solve_by_flag_program
    from .horizon.problem import ChanceProblem as ChanceProblem
    from .horizon.solution import ChanceSolution as ChanceSolution
    from .horizon.solution import RandomisedCell as RandomisedCell
    from .horizon.solution import TimedPolicy as TimedPolicy
    from .horizon.splitting import resolutions as resolutions
    from .horizon.unrolling import unroll as unroll
    from .hull import FlipBetween as FlipBetween
    from .hull import best_flip as best_flip
    from .hull import upper_hull as upper_hull

_HOMES = {
    "ChanceProblem": "horizon.problem",
    "ChanceSolution": "horizon.solution",
    "EventualSolution": "forever.eventual",
    "FirstHitSolution": "forever.first_hit",
    "FlipBetween": "hull",
    "Frontier": "horizon.envelope",
    "RandomisedCell": "horizon.solution",
    "TimedPolicy": "horizon.solution",
    "best_flip": "hull",
    "count_policies": "horizon.enumeration",
    "enclose_eventual": "forever.eventual",
    "enumerate_policies": "horizon.enumeration",
    "evaluate_episode_flip": "horizon.evaluation",
    "evaluate_policy": "horizon.evaluation",
    "evaluate_step_flip": "horizon.evaluation",
    "first_window": "forever.first_hit",
    "frontier": "horizon.envelope",
    "least_eventual_risk": "forever.eventual_risk",
    "minimum_risk": "horizon.chord",
    "resolutions": "horizon.splitting",
    "solve": "horizon.chord",
    "solve_by_flag_program": "horizon.flag_program",
    "solve_first_hit": "forever.first_hit",
    "unroll": "horizon.unrolling",
    "upper_hull": "hull",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
