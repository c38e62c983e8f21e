r"""Scores standardised for each prompt, and levels for each prompt: what HIPO's problem becomes.

Notation of ``primal_dual``.  With many responses in a group Algorithm 1 divides the user's score by
its deviation sigma_u(x) under the policy, the system's by sigma_s(x), and its update is the
gradient of :math:`E[u/\sigma_u+\lambda s/\sigma_s]-\beta\mathrm{KL}` with the deviations held.
With a level for each prompt there are as many constraints as prompts.

Main results: `own_rates`, `each_prompt`.
"""

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Gt, Le
from ..theorem import Assumption, Theorem
from .primal_dual import _on
from .stepwise import beta, lam

own_lam = Quantity("own_lam", "multiplier of which the prompt's policy is the tilt",
                   Domain.NONNEGATIVE, r"\lambda_x")  # fmt: skip
own_beta = Quantity("own_beta", "temperature of which it is the tilt", Domain.POSITIVE,
                    r"\beta_x")  # fmt: skip
sigma_u = Quantity("sigma_u", "deviation of the user's score", Domain.POSITIVE, r"\sigma_u(x)")
sigma_s = Quantity("sigma_s", "deviation of the system's score", Domain.POSITIVE, r"\sigma_s(x)")
lost = Quantity(
    "lost",
    "largest E u - beta_x KL at the same system score, less that of the point",
    latex=r"R^\star-R",
    program=r"\max_{\pi'}\mathbb E_{\pi'}u-\mathbb E_x\beta_x\mathrm{KL}_x(\pi'\|\pi_{\rm ref})-R"
    r"\quad\text{subject to}\quad\mathbb E_{\pi'}s=\mathbb E_\pi s",
)
STATIONARY = Assumption(
    "stationary", "u/sigma_u + lam s/sigma_s - beta log(pi/pi_ref) is constant for each prompt."
)
MANY = Assumption("many", "Groups are so large that their deviations are those of the policy.")
APART = Assumption("apart", "Two prompts of the same law have other sigma_u/sigma_s or sigma_u.")
own_rates = Theorem(
    label="group-primal-dual/own-rates",
    title="Where standardised updates rest, each prompt has a multiplier and a temperature of its "
    "own",
    relation=Both(
        Eq(own_lam * sigma_s, lam * sigma_u),
        Eq(own_beta, beta * sigma_u),
        Gt(lost, 0),
    ),
    source=_on("steps 5 to 8 of Algorithm 1, for large groups, KL in the reward"),
    given=(STATIONARY, MANY, APART),
    proof="Multiply by sigma_u(x). It is a tilt, so the optimum of the problem only where "
    "multiplier and temperature are the same for all prompts.",
    uses=("tilts/gibbs", "group-primal-dual/dual"),
    remark="lost is measured at the temperature of the first prompt. To subtract means alone, or "
    "to divide by one common deviation, keeps the exchange rates.",
)

most = Quantity("most", "largest number of responses that a prompt gets", Domain.TRIALS, "m")
worst = Quantity(
    "worst", "least system score of a prompt, less its level", latex=r"\min_x J_x-\tau_x"
)
J_each = Quantity(
    "J_each", "largest user score with a level a prompt", Domain.NONNEGATIVE, r"J_{each}"
)
dual_each = Quantity(
    "dual_each", "mean of the least dual values of the prompts", Domain.NONNEGATIVE, r"D_{each}"
)
J_average = Quantity(
    "J_average", "the same with their mean as one level", Domain.NONNEGATIVE, r"J_{avg}"
)
FEASIBLE = Assumption("feasible", "Each prompt has a response whose system score is at its level.")
each_prompt = Theorem(
    label="group-primal-dual/each-prompt",
    title="With a level for each prompt two responses a prompt suffice, at a price",
    relation=Both(Le(most, 2), Ge(worst, 0), Eq(J_each, dual_each), Le(J_each, J_average)),
    source=_on("its problem at beta = 0, with a constraint for each prompt"),
    given=(FEASIBLE,),
    proof="Each prompt is a problem of one constraint; the levels together imply their mean.",
    uses=("group-primal-dual/one-prompt", "group-primal-dual/average"),
    remark="One average level mixes at one prompt alone, and may leave a prompt with score 0.",
)
