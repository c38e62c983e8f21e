"""Return-conditioned policies and their bias, exactly.

To be read in this order: `process`, `conditioning`, `density`, `fluctuation`.
"""

from .conditioning import ConditionedPolicy as ConditionedPolicy
from .conditioning import expected_return as expected_return
from .conditioning import return_conditioned as return_conditioned
from .process import ReturnProcess as ReturnProcess
from .process import return_law as return_law
from .process import return_process as return_process
