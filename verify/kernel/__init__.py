"""The trusted kernel: what it accepts is proved, whoever made it.

Accepted, a document proves this about the data inside it, assuming only Python's integers:
* linear-program-optimum, cmdp-optimum: the program, or the constrained MDP, has that optimal value;
* linear-program-infeasible, cmdp-infeasible: no point, or no policy, meets the constraints;
* policy-value: that policy has that return (all returns are un-normalised, E sum gamma^t r_t);
* mixture: drawing one of the policies at the start meets every budget, with a reward in `value`;
* cmdp-enclosure: the optimal value of the constrained MDP is in `value`;
* counterexample: the relation is false at the values; enclosure: the expression is in [lo, hi].

Not proved: that a model is the one meant, that a relation is the theorem's, that values "given" are
right (the report counts those, and those "proved" by certificates inside), or anything read in
`notes`. With an alpha, the statement may be wrong with that probability. A rejection proves nothing.
"""

from . import expression, policies
from .certificate import Report, Step, check, check_file
from .exact import (
           Comparison,
           Enclosure,
           Rejected,
           Verdict,
           compare,
           format_rational,
           parse_rational,
)
from .expression import evaluate_expression

__all__ = ["Comparison", "Enclosure", "Rejected", "Report", "Step", "Verdict", "check", "check_file",
           "compare", "evaluate_expression", "expression", "format_rational", "parse_rational",
           "policies"]
