"""Exact solvers for finite discounted constrained MDPs.

Everything returned is rational and carries a certificate that the kernel (``holdfast check``)
verifies without trusting this package.  Names load on first use, so importing it is cheap.
"""

from typing import TYPE_CHECKING

from .lazy_names import lazy_names

if TYPE_CHECKING:
    from .chance import ChanceProblem as ChanceProblem
    from .chance import ChanceSolution as ChanceSolution
    from .cmdp.chord import ChordSolution as ChordSolution
    from .cmdp.chord import solve_by_chord as solve_by_chord
    from .cmdp.improvement import OptimalValues as OptimalValues
    from .cmdp.improvement import policy_iteration as policy_iteration
    from .cmdp.infeasibility import MostFeasible as MostFeasible
    from .cmdp.infeasibility import most_feasible as most_feasible
    from .cmdp.occupancy import occupancy_program as occupancy_program
    from .cmdp.policies import Policy as Policy
    from .cmdp.policies import evaluate as evaluate
    from .cmdp.policies import lagrangian as lagrangian
    from .cmdp.policies import occupancy_of as occupancy_of
    from .cmdp.policies import policy_return as policy_return
    from .cmdp.policies import q_values as q_values
    from .cmdp.policies import value_of as value_of
    from .cmdp.scale.enclosure import enclose as enclose
    from .cmdp.scale.solution import EnclosedSolution as EnclosedSolution
    from .cmdp.solution import Solution as Solution
    from .cmdp.solving import solve as solve
    from .errors import ModelError as ModelError
    from .exact import SingularMatrixError as SingularMatrixError
    from .exact import Vector as Vector
    from .limits import LimitReachedError as LimitReachedError
    from .limits import Limits as Limits
    from .models.arrays import from_arrays as from_arrays
    from .models.cmdp import CMDP as CMDP
    from .models.formats.files import load as load
    from .models.formats.files import save as save
    from .models.formats.prism import read_prism as read_prism
    from .models.formats.prism import write_prism as write_prism
    from .models.gymnasium_models import from_gymnasium as from_gymnasium
    from .models.worlds import WORLDS as WORLDS
    from .models.worlds import World as World
    from .programs.program import LinearProgram as LinearProgram
    from .programs.program import LinearSolution as LinearSolution
    from .programs.program import LinearStatus as LinearStatus
    from .programs.solve import solve_linear_program as solve_linear_program
    from .solution import Status as Status

_HOMES = {
    "CMDP": "models.cmdp",
    "ChanceProblem": "chance",
    "ChanceSolution": "chance",
    "ChordSolution": "cmdp.chord",
    "EnclosedSolution": "cmdp.scale.solution",
    "LimitReachedError": "limits",
    "Limits": "limits",
    "LinearProgram": "programs.program",
    "LinearSolution": "programs.program",
    "LinearStatus": "programs.program",
    "ModelError": "errors",
    "MostFeasible": "cmdp.infeasibility",
    "OptimalValues": "cmdp.improvement",
    "Policy": "cmdp.policies",
    "SingularMatrixError": "exact",
    "Solution": "cmdp.solution",
    "Status": "solution",
    "Vector": "exact",
    "WORLDS": "models.worlds",
    "World": "models.worlds",
    "enclose": "cmdp.scale.enclosure",
    "evaluate": "cmdp.policies",
    "from_arrays": "models.arrays",
    "from_gymnasium": "models.gymnasium_models",
    "lagrangian": "cmdp.policies",
    "load": "models.formats.files",
    "most_feasible": "cmdp.infeasibility",
    "occupancy_of": "cmdp.policies",
    "occupancy_program": "cmdp.occupancy",
    "policy_iteration": "cmdp.improvement",
    "policy_return": "cmdp.policies",
    "q_values": "cmdp.policies",
    "read_prism": "models.formats.prism",
    "save": "models.formats.files",
    "solve": "cmdp.solving",
    "solve_by_chord": "cmdp.chord",
    "solve_linear_program": "programs.solve",
    "value_of": "cmdp.policies",
    "write_prism": "models.formats.prism",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
