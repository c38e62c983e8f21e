r"""What OGSRL prints, where it is false or might be read so; the repairs are in `guarded`.

In the copy that was read in-line formulas are legible and displayed ones are not: problems ESRL,
GCL, MSRL and GSRL, (1) to (16), and the errors eps_k and eps_H.  Only two things are called false:
the comparator of Theorems 3 and 7 under a named reading, and the definition of "eps_s-safe".

Not refuted, though unproved as printed: Theorem 1, whose exponents in main text and appendix
disagree, and Corollary 1, which takes its sample size from the main text; both speak of an event
and of a degree d that exists, which `step` does not.  The proof of Theorem 5 concludes from a
smaller volume to a subset, which does not follow; no counterexample to its conclusion is known.

Main results: `comparator`, `printed_safe`, `step`, `at_beta`.
"""

from sympy import exp

from ..cmdp.foundations import gamma
from ..quantities import Domain, Quantity
from ..relations import Eq, Ge, Gt, Le
from ..theorem import Printed, Provenance, Refutation, Source, Standing, Theorem
from .guarded import PAPER, H, budget, eps_r, limit, reached
from .guarded_samples import N, t

FIDELITY = (
    "Compared on 2026-11-29 with the text of arXiv 2505.16242, its appendices included; displayed "
    "formulas are not legible in that copy, and which version of the text it is was not noted."
)


def _read(place: str) -> Source:
    return Source(PAPER, place, Provenance.READ)


def _made_of(place: str) -> Source:
    """Of a statement that is ours, put together from what is printed."""
    return Source(PAPER, place, Provenance.DERIVED)


eps_k = Quantity("eps_k", "error of the model", Domain.NONNEGATIVE, r"\varepsilon_k")
eps_H = Quantity("eps_H", "error of the horizon", Domain.NONNEGATIVE, r"\varepsilon_H")
gap = Quantity("gap", "what the plan certainly loses to the ESRL optimum", latex=r"V^\star-V_{r,T}")
logged = Quantity("logged", "share of logged actions that are above 1/2", Domain.PROBABILITY)
spent = Quantity("spent", "cost of the plan", Domain.NONNEGATIVE)
supported = Quantity("supported", "least V_g of a policy", Domain.NONNEGATIVE)
comparator = Theorem(
    label="guarded/esrl-comparator",
    title="The plan is near-optimal for Problem ESRL, as printed",
    relation=Le(gap, eps_r + 2 * eps_k + 2 * eps_H),
    source=_read("Theorems 3 and 7, second part"),
    standing=Standing.REFUTED,
    proof="As printed: the errors are added up, with no condition that the data cover an optimum.",
    uses=("model-based/simulation-bound",),
    remark="False under one reading: ESRL is the problem without a guardian, and the lower bound "
    "on densities, (2), is asked for on U_id, as its text says partial coverage. The part on "
    "safety is not touched, nor is the best policy that the data support. Repaired by "
    "guarded/optimality.",
    refutation=Refutation(
        FIDELITY + " The statement of Theorem 3 was read twice; it has no hypothesis on coverage.",
        "It strikes wherever the data do not have what an optimum does, which is what a guardian "
        "is for: 1/(1 - gamma) grows while the printed right side is called negligible.",
        (
            Printed("States and actions are subsets of real spaces.",
                    "S = [0, 1], A = [0, 1/2] and [3/4, 1]."),
            Printed("Rewards are in [0, r_max], costs in [0, c_max].",
                    "r = 1 for actions from 3/4 on, else 0, and is known; there are no costs.",
                    Eq(spent, 0)),
            Printed("Discount below one.", "gamma = 9/10.", Gt(1, gamma)),
            Printed("Data come from a behaviour policy.", "Uniform on [0, 1/2]; U_id is "
                    "S x [0, 1/2], where densities are 2.", Eq(logged, 0)),
            Printed("Transition densities are bounded from below on the support, (2).",
                    "The next state is uniform on [0, 1], whatever is done."),
            Printed("The learned set is inside of U_id.", "It is taken so: any such set with "
                    "S x {1/4} will do; then r <= g at every pair."),
            Printed("The guarded problem GSRL is feasible.", "The action 1/4 never leaves the set.",
                    Ge(limit, supported)),
            Printed("The plan is eps_r-optimal for GSRL and keeps it.", "Whatever plan: as r <= g, "
                    "its value in the model is at most the limit, which is 1.",
                    Eq(limit, 1), here=True),
            Printed("Theorem 2: values are off by eps_k + eps_H at most.", "It is what bounds the "
                    "value of the plan from above here: 1 + eps_k + eps_H.",
                    Gt(eps_k + eps_H, 0), here=True),
            Printed("Theorem 2 holds with probability 1 - 2 beta - 4 delta.",
                    "The conclusion fails for every log and every plan, hence with probability "
                    "1: each beta and delta with 2 beta + 4 delta < 1 is refuted."),
            Printed("eps_s-safe by a margin eps_s + eps_k + eps_H.", "Without costs any margin is "
                    "there."),
        ),
    ),
)  # fmt: skip

V_said = Quantity("V_said", "cost of a policy that is called safe", Domain.NONNEGATIVE, "V_c")
difference = Quantity("difference", "largest |c_j - estimate_j|", Domain.NONNEGATIVE)
eps_s = Quantity("eps_s", "margin of safety", Domain.POSITIVE, r"\varepsilon_s")
error = Quantity("error", "|estimate - V_c|", Domain.NONNEGATIVE)
printed_safe = Theorem(
    label="guarded/safe-as-printed",
    title="A policy that is eps_s-safe by the printed definition keeps its budget",
    relation=Le(V_said, budget),
    source=_read("the definition of eps_s-safe, section 3.3 and appendix E"),
    standing=Standing.REFUTED,
    proof="None: the definition asks for max_j |c_j - estimate_j| >= eps_s.",
    remark="A definition is not a statement; this is what its name says. Repaired by guarded/safe.",
    refutation=Refutation(
        FIDELITY + " The definition is in-line, printed twice, and was read twice.",
        "It strikes the words only: the text uses the definition as if it were the repaired one.",
        (
            Printed("eps_s > 0.", "It is 1/2.", Gt(eps_s, 0)),
            Printed("max_j |c_j - estimate_j| >= eps_s.", "One cost: |1 - 2| = 1.",
                    Ge(difference, eps_s)),
            Printed("Estimates come from the learned model.", "It is the true one: cost 1 a step, "
                    "gamma = 1/2, so that both are 2.", Eq(error, 0)),
        ),
    ),
)  # fmt: skip

beyond = Quantity("beyond", "probability of a frequency above alpha + t", Domain.PROBABILITY)
alpha = Quantity("alpha", "probability of the event", Domain.PROBABILITY, r"\alpha")
step = Theorem(
    label="guarded/main-text-step",
    title="Hoeffding's step with the exponent of the main text",
    relation=Le(beyond, exp(-2 * N**2 * t)),
    source=_made_of("the exponent of Theorem 1, main text, put into the last step of its proof"),
    standing=Standing.FALSE_UNPRINTED,
    proof="None: the appendix ends at exp(-2 N (alpha_c - alpha)^2), concentration/hoeffding.",
    uses=("concentration/hoeffding",),
    remark="A statement about that step alone. Theorem 1 is not refuted by it: its event is that "
    "the learned set is not inside of U_id, for some degree d; on an interval with d = 1 that has "
    "probability 0. Nor is Corollary 1; the appendix' tail gives N >= log(1/delta)/(2 t^2).",
    refutation=Refutation(
        FIDELITY,
        "It strikes this step alone, which is ours: the exponent is printed, and so is the proof, "
        "but not the one put into the other.",
        (
            Printed("N independent samples.", "N = 10.", Ge(N, 1)),
            Printed("The share outside is alpha.", "alpha = 1/10.", Le(alpha, 1)),
            Printed("The tolerated share is alpha_c > alpha.", "It is 1/5.",
                    Gt(t, 0)),
        ),
    ),
)  # fmt: skip

beta = Quantity("beta", "probability that is promised", Domain.PROBABILITY, r"\beta")
V_exit = Quantity("V_exit", "value of the cost outside of U", Domain.NONNEGATIVE, r"V_{\hat g}")
at_beta = Theorem(
    label="guarded/window-at-beta",
    title="Lemma 1 read with the probability itself as the limit",
    relation=Le(reached, beta),
    source=_made_of("Lemma 1, read with the limit beta"),
    standing=Standing.FALSE_UNPRINTED,
    proof="None is legible: displays (3) and (4) are not, and discount and horizon only exist.",
    remark="An observation on one reading, no error of the paper. Repaired by guarded/window.",
    refutation=Refutation(
        FIDELITY + " Lemma 1 says that a discount and a horizon exist.",
        "It strikes one reading, by a factor of 1/gamma for each step before the first exit.",
        (
            Printed("The discounted cost is at most the limit.", "V_g is beta.", Le(V_exit, beta)),
            Printed("The window has H >= 1 steps after the first.", "H = 1.", Ge(H, 1)),
            Printed("gamma < 1.", "gamma = 1/2; the set is left at h = 1 alone, with probability "
                    "beta/gamma.", Gt(1, gamma)),
        ),
    ),
)  # fmt: skip
