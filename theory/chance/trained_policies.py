r"""What may be said of policies that were trained: against the optimum, flipped, sampled, chosen.

A policy, however it was found, is one policy of a finite problem: T decisions, the state with a
flag, the risk of an unsafe state, UN-normalised value J.  So exact statements about all policies
are statements about trained networks, and each network is a chance to refute them.

Main results: `envelope`, `price`, `episode_coin`, `step_coin`, `shown`, `chosen`.
"""

from ..quantities import Domain, Quantity
from ..relations import Both, Ge, Le
from ..theorem import Assumption, Printed, Provenance, Refutation, Source, Standing, Theorem
from .flipping import FIDELITY, PAPER
from .joint_chance import ATTAINABLE, FINITE

_OURS = Source("holdfast", "on policies that are trained and flipped", Provenance.DERIVED)

J_policy = Quantity("J", "value of a policy", latex="J")
risk = Quantity("risk", "its risk", Domain.PROBABILITY, "r")
V_level = Quantity(
    "V",
    "optimal value at the level alpha",
    latex=r"V(\alpha)",
    program=r"\max_\pi J(\pi)\quad\text{subject to}\quad r(\pi)\le\alpha",
)
multiplier = Quantity(
    "lam",
    "multiplier of the optimum at the level alpha",
    Domain.NONNEGATIVE,
    r"\lambda",
    program=r"\arg\min_{\lambda\ge 0}\max_\pi\ J(\pi)-\lambda(r(\pi)-\alpha)",
)
alpha = Quantity("alpha", "level of the risk", Domain.PROBABILITY, r"\alpha")
envelope = Theorem(
    label="trained-policies/envelope",
    title="No policy is above the line that supports the optimum at a level",
    relation=Le(J_policy, V_level + multiplier * (risk - alpha)),
    source=_OURS,
    given=(FINITE, ATTAINABLE),
    proof=(
        "The multiplier makes J - lam risk a problem without constraint, whose optimum those at "
        "the level attain: no policy has more than V(alpha) - lam alpha."
    ),
    uses=("chance/flag-program",),
    remark="At the level of the policy's own risk it says J <= V(risk), the concave envelope.",
)

lam_high = Quantity(
    "lam_1", "price of a violation for the first policy", Domain.NONNEGATIVE, r"\lambda_1"
)
lam_low = Quantity(
    "lam_2", "price of a violation for the second policy", Domain.NONNEGATIVE, r"\lambda_2"
)
risk_dear = Quantity("risk_1", "risk of the first policy", Domain.PROBABILITY, "r_1")
risk_cheap = Quantity("risk_2", "risk of the second policy", Domain.PROBABILITY, "r_2")
gap_dear = Quantity(
    "gap_1", "what the first policy lacks of max J - lam_1 r", Domain.NONNEGATIVE, r"\delta_1"
)
gap_cheap = Quantity(
    "gap_2", "what the second policy lacks of max J - lam_2 r", Domain.NONNEGATIVE, r"\delta_2"
)
price = Theorem(
    label="trained-policies/price",
    title="A policy that pays more for violations is riskier only as far as both are not optimal",
    relation=Le((lam_high - lam_low) * (risk_dear - risk_cheap), gap_dear + gap_cheap),
    source=_OURS,
    given=(FINITE,),
    proof="Each is at least as far from the optimum of its price as from the other; add both.",
    remark="Attained where each policy is optimal for the price that the other one pays.",
)

AVERAGE = Assumption("average", "The risks of the two policies average to at most alpha.")
weight = Quantity("w", "probability of the second policy", Domain.PROBABILITY, "w")
risk_first = Quantity("r_1", "risk of the first policy", Domain.PROBABILITY, "r_1")
risk_second = Quantity("r_2", "risk of the second policy", Domain.PROBABILITY, "r_2")
risk_episode = Quantity(
    "risk_episode", "risk of the flip with one coin an episode", Domain.PROBABILITY, r"r_{\rm ep}"
)
episode_coin = Theorem(
    label="trained-policies/episode-coin",
    title="One coin an episode keeps the level that the risks of two policies average to",
    relation=Le(risk_episode, alpha),
    source=Source(f"holdfast, for {PAPER}", "repairs Algorithm 2", Provenance.DERIVED),
    given=(AVERAGE,),
    standing=Standing.REPAIRED,
    proof="Condition on the coin: the risk is the average.",
    uses=("policy-mixtures/episode-flip",),
    remark="Repair: the coin is tossed once in an episode, not once in a step.",
)

risk_step = Quantity(
    "risk_step", "risk of the flip with one coin a step", Domain.PROBABILITY, r"r_{\rm st}"
)
step_coin = Theorem(
    label="trained-policies/step-coin",
    title="One coin a step keeps the level that the risks of two policies average to",
    relation=Le(risk_step, alpha),
    source=Source(
        "holdfast", f"Algorithm 2 of {PAPER} as it runs, with its program", Provenance.DERIVED
    ),
    given=(AVERAGE,),
    standing=Standing.FALSE_UNPRINTED,
    proof="None is printed: the program averages over episodes, the algorithm tosses in each step.",
    uses=("policy-mixtures/step-flip",),
    remark=(
        "Nothing that is printed is accused: it is what the algorithm as it runs would need so "
        "that the level of its program holds. False in the corridor, where both policies are safe; "
        "true wherever the two agree on the way."
    ),
    refutation=Refutation(
        FIDELITY + " Algorithm 2 was read; that its level holds with a coin a step is printed "
        "nowhere. The paper's program was not run.",
        "It concerns two policies that do not agree on the way, as two that were trained for "
        "different levels seldom do. There a coin a step may be safer than the average as well as "
        "riskier; the level is not kept by the coin but by luck, and the risk may exceed both.",
        (
            Printed(
                "Algorithm 1 chooses weights of trained policies whose safeties average to 1 - "
                "alpha at least.",
                "Both policies are safe with certainty, half each, and the level is 0.",
                Le((1 - weight) * risk_first + weight * risk_second, alpha),
            ),
            Printed(
                "Algorithm 2 draws a number in [0, 1] in each step and acts with the first policy "
                "if it is at most the first weight, else with the second.",
                "So does the flip that is evaluated, exactly: its law in each cell is the mean of "
                "the two.",
            ),
        ),
    ),
)

FEW_OTHERS = Assumption(
    "few-others", "At most a share eps of the episodes follows another policy than the one solved."
)
eps = Quantity("eps", "share of episodes of another policy", Domain.PROBABILITY, r"\varepsilon")
risk_shown = Quantity(
    "risk_shown", "probability that an episode is unsafe", Domain.PROBABILITY, r"\bar r"
)
J_shown = Quantity("J_shown", "expected return of an episode", latex=r"\bar J")
span = Quantity("span", "largest less least return of any episode", Domain.NONNEGATIVE, r"\Delta")
shown = Theorem(
    label="trained-policies/shown",
    title="Episodes show the risk and the value that were computed, up to a share of others",
    relation=Both(
        Le(risk_shown, risk + eps),
        Ge(risk_shown, risk - eps),
        Le(J_shown, J_policy + eps * span),
        Ge(J_shown, J_policy - eps * span),
    ),
    source=_OURS,
    given=(FEW_OTHERS,),
    proof=(
        "Run both with the same luck: they differ in at most a share eps of the episodes, each by "
        "at most 1 in being unsafe and by at most the span in its return."
    ),
    uses=("policy-mixtures/episode-flip",),
    remark=(
        "On trained networks eps is the resolution: what is sampled in the environment is what was "
        "solved on its model, but for at most that share of the episodes."
    ),
)

FIXED = Assumption(
    "fixed",
    "The policies are fixed before they are sampled, and the samples of each are unbiased for its "
    "own risk.",
)
LOOKS_SAFEST = Assumption("looks-safest", "The policy whose samples show the least risk is chosen.")
chosen_shown = Quantity(
    "chosen_shown",
    "risk that the samples of the chosen policy show, on average over choices",
    Domain.PROBABILITY,
    r"E\hat r_{\hat k}",
)
chosen_risk = Quantity(
    "chosen_risk",
    "risk of the chosen policy on fresh episodes, on average over choices",
    Domain.PROBABILITY,
    r"E r_{\hat k}",
)
chosen = Theorem(
    label="trained-policies/chosen",
    title="The policy that looks safest is at least as risky as it looks",
    relation=Le(chosen_shown, chosen_risk),
    source=Source(f"holdfast, beside Theorem 8 of {PAPER}", "", Provenance.DERIVED),
    given=(FIXED, LOOKS_SAFEST),
    proof="E min_k of sample risks is at most min_k of their means, which no choice goes below.",
    uses=("policy-mixtures/union-bound",),
    remark="So episodes that chose a policy must not judge it, dependent samples or not.",
)
