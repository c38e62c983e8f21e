"""Exact solvers for finite discounted constrained MDPs.

Everything returned is rational and carries a certificate that the kernel (``holdfast check``)
verifies without trusting this package.  Names load on first use, so importing it is cheap.
"""

from typing import TYPE_CHECKING

from .lazy_names import lazy_names

if TYPE_CHECKING:
    from .chance import ChanceProblem as ChanceProblem
    from .chance import ChanceSolution as ChanceSolution
    from .chord import ChordSolution as ChordSolution
    from .chord import solve_by_chord as solve_by_chord
    from .cmdp import CMDP as CMDP
    from .cmdp import ModelError as ModelError
    from .enclosure import EnclosedSolution as EnclosedSolution
    from .enclosure import enclose as enclose
    from .exact import SingularMatrixError as SingularMatrixError
    from .exact import Vector as Vector
    from .gymnasium_models import from_gymnasium as from_gymnasium
    from .improvement import OptimalValues as OptimalValues
    from .improvement import policy_iteration as policy_iteration
    from .infeasibility import MostFeasible as MostFeasible
    from .infeasibility import most_feasible as most_feasible
    from .limits import LimitReachedError as LimitReachedError
    from .limits import Limits as Limits
    from .linear_program import LinearProgram as LinearProgram
    from .linear_program import LinearSolution as LinearSolution
    from .linear_program import LinearStatus as LinearStatus
    from .linear_program import solve_linear_program as solve_linear_program
    from .model_io import from_arrays as from_arrays
    from .model_io import load as load
    from .model_io import save as save
    from .occupancy import Solution as Solution
    from .occupancy import Status as Status
    from .occupancy import occupancy_program as occupancy_program
    from .occupancy import solve as solve
    from .policies import Policy as Policy
    from .policies import evaluate as evaluate
    from .policies import lagrangian as lagrangian
    from .policies import occupancy_of as occupancy_of
    from .policies import policy_return as policy_return
    from .policies import q_values as q_values
    from .policies import value_of as value_of
    from .prism import read_prism as read_prism
    from .prism import write_prism as write_prism
    from .worlds import WORLDS as WORLDS
    from .worlds import World as World

_HOMES = {
    "CMDP": "cmdp",
    "ChanceProblem": "chance",
    "ChanceSolution": "chance",
    "ChordSolution": "chord",
    "EnclosedSolution": "enclosure",
    "LimitReachedError": "limits",
    "Limits": "limits",
    "LinearProgram": "linear_program",
    "LinearSolution": "linear_program",
    "LinearStatus": "linear_program",
    "ModelError": "cmdp",
    "MostFeasible": "infeasibility",
    "OptimalValues": "improvement",
    "Policy": "policies",
    "SingularMatrixError": "exact",
    "Solution": "occupancy",
    "Status": "occupancy",
    "Vector": "exact",
    "WORLDS": "worlds",
    "World": "worlds",
    "enclose": "enclosure",
    "evaluate": "policies",
    "from_arrays": "model_io",
    "from_gymnasium": "gymnasium_models",
    "lagrangian": "policies",
    "load": "model_io",
    "most_feasible": "infeasibility",
    "occupancy_of": "policies",
    "occupancy_program": "occupancy",
    "policy_iteration": "improvement",
    "policy_return": "policies",
    "q_values": "policies",
    "read_prism": "prism",
    "save": "model_io",
    "solve": "occupancy",
    "solve_by_chord": "chord",
    "solve_linear_program": "linear_program",
    "value_of": "policies",
    "write_prism": "prism",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
