"""The exact optimum of a chance-constrained problem by the chord method, without linear programs.

The optimal value as a function of the level is the concave envelope of the (risk, value) of
deterministic policies.  Floats find two policies around the level; the slope of their chord is a
trial multiplier; exact induction gives both ends of its face.  If they are around the level, the
optimum lies between them; if not, they replace one end of the chord.  Nothing rests on a float: the
value of every policy and the optimality of every face are decided in integers.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cached_property

from ...exact import Rational
from ...limits import Limits, timed
from ...programs.chord import close_chord
from ...solution import Status
from .dynamics import Dynamics
from .evaluation import evaluate_table
from .faces import Face, Faces
from .floats import FloatPolicy, nearest
from .problem import ChanceProblem
from .solution import ChanceSolution, TimedPolicy
from .splitting import solution_on_face

_GENEROUS = Limits()
METHOD = "chord over exact backward induction"


def solve(
    problem: ChanceProblem, level: Rational | float, limits: Limits = _GENEROUS
) -> ChanceSolution:
    """The exact optimum for a level, over all history-dependent randomised policies.

    Raises ModelError when the level is no bound (see `ChanceProblem.checked_level`), and
    LimitReachedError when the time is up, which is looked at before every exact induction.
    """
    return solve_dynamics(Dynamics.of(problem), problem.checked_level(level), limits)


def minimum_risk(problem: ChanceProblem) -> TimedPolicy:
    """A policy of least risk, exactly; no level below its risk is feasible."""
    faces = Faces.of(Dynamics.of(problem))
    return faces.safest(faces.least_risk()[1])


def solve_dynamics(
    dynamics: Dynamics, level: Fraction, limits: Limits = _GENEROUS
) -> ChanceSolution:
    """The same from compiled layers."""
    faces = Faces.of(dynamics, limits)
    outcome, rounds = _Chord(faces, level).run()
    if isinstance(outcome, TimedPolicy):
        solution = ChanceSolution(
            Status.INFEASIBLE, dynamics.problem, level, dynamics, minimum_risk=outcome.risk
        )
    else:
        with timed(faces.seconds, "splitting"):
            solution = solution_on_face(dynamics, level, outcome)
    return replace(solution, statistics=faces.statistics(METHOD, **rounds))


class _Chord:
    def __init__(self, faces: Faces, level: Fraction) -> None:
        self.faces, self.level = faces, level

    @cached_property
    def top(self) -> Face:
        """The face of the reward's optima."""
        return self.faces.at(Fraction(0))

    def run(self) -> tuple[Face | TimedPolicy, dict[str, int]]:
        """The face around the level, or the safest policy if it is above; and the rounds."""
        faces, level = self.faces, self.level
        budget = nearest(level - faces.dynamics.problem.start_risk)
        safest, candidates = faces.least_risk()
        with timed(faces.seconds, "float induction"):
            first, last, float_rounds = faces.floats.bracket(budget, safest)
        rounds = {"float rounds": float_rounds, "exact rounds": 0}
        if first is last and self.top.safer.risk <= level:
            return self.top, rounds
        low = self._exact(first)
        if low.risk > level:
            low = faces.safest(candidates)
            if low.risk > level:
                return low, rounds
        high = self._exact(last)
        if high.risk <= level:
            high = self.top.safer
            if high.risk <= level:
                return self.top, rounds
        face, rounds["exact rounds"] = self._search(low, high)
        return face, rounds

    def _search(self, low: TimedPolicy, high: TimedPolicy) -> tuple[Face, int]:
        """From low.risk <= level < high.risk.

        Where the chord does not rise, the end above the level was no optimum of the reward, which
        may then meet the level.  If not, its chord with the other end rises.
        """
        found: list[Face] = []

        def best(slope: Fraction, _: TimedPolicy) -> tuple[TimedPolicy, TimedPolicy]:
            found.append(self.faces.at(slope) if slope else self.top)
            return found[-1].safer, found[-1].bolder

        close_chord(low, high, self.level, best, whole=True)
        return found[-1], sum(face.multiplier > 0 for face in found)

    def _exact(self, policy: FloatPolicy) -> TimedPolicy:
        with timed(self.faces.seconds, "exact evaluation"):
            return TimedPolicy(policy.table, *evaluate_table(self.faces.dynamics, policy.table))
