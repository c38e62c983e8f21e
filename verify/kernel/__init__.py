"""The trusted kernel: what it accepts is proved, whoever made it.

If a document is accepted, the following is proved about the data in it.  You trust nothing but
Python's integers.
* linear-program-optimum, cmdp-optimum: the program, or constrained MDP, has that optimal value;
* linear-program-infeasible, cmdp-infeasible: no point, or no policy, meets the constraints;
* policy-value: that policy has that return (all returns are un-normalised, E sum gamma^t r_t);
* mixture: drawing one of the policies at the start meets the budgets, with a reward in `value`;
* cmdp-enclosure: the optimal value of the constrained MDP is in `value`;
* all also of a "joint-chance" model: T decisions, with a bound on the risk of unsafe states;
* counterexample: the relation is false at the values; enclosure: the expression is in [lo, hi].
Not proved: that a model is the one meant, a relation the theorem's, or a value "given" right (the
report counts these, and constants, beside those "proved" of a program or a model by certificates
inside); `notes` are not read. All holds except with probability alpha, if there is one. A rejection
proves nothing.

To be read in this order: exact, documents, enclosures, expressions, programs, processes,
statements.
"""

from .enclosures import Comparison, Enclosure, Verdict, compare
from .exact import Rejected, format_rational, printable
from .exact import rational as parse_rational
from .expressions import evaluate_expression
from .statements import OWN_WORK, WORK, Report, Step, check, check_file

__all__ = [
    "OWN_WORK",
    "WORK",
    "Comparison",
    "Enclosure",
    "Rejected",
    "Report",
    "Step",
    "Verdict",
    "check",
    "check_file",
    "compare",
    "evaluate_expression",
    "format_rational",
    "parse_rational",
    "printable",
]
