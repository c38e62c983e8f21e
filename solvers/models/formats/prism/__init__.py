"""PRISM's explicit-state files: transitions, labels and rewards as plain text::

    MODEL.tra    "states choices transitions", then "state choice successor probability [action]";
                 a Markov chain: "states transitions", then "state successor probability [action]"
    MODEL.lab    '0="init" 1="deadlock" ...', then "state: index index ..."
    MODEL.srew   "states nonzero", then "state reward"
    MODEL.trew   the layout of .tra with rewards for probabilities, only the nonzero ones

Storm's own explicit files are read as well: the first line of .tra is "mdp" or "dtmc", no file has
sizes, and .lab begins with "#DECLARATION", the names and "#END", then "state label label ...".  So
is its format DRN, in `drn`.

Lines beginning with # are comments.  Every number is read as the exact rational that is written.
The files hold no discount, no budgets and no initial law but a set of states: the first two are
arguments here, and ``write_prism`` can turn the discount into termination (Storm has a formula for
discounted rewards, in floating point and for one objective only).
Source: PRISM manual, appendix "Explicit Model Files".
"""

from .drn import read_drn
from .reader import read_prism
from .writer import write_prism

__all__ = ["read_drn", "read_prism", "write_prism"]
