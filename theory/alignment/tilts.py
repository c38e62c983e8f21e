r"""The optimum of a reward less a KL divergence is a tilt of the reference, and so are its parts.

:math:`J_f(\pi)=E_\pi f-\beta\,\mathrm{KL}(\pi\|\pi_{ref})`; :math:`\pi_f=\pi_{ref}e^{f/\beta}/Z_f`
is the tilt by f.  E and KL are averaged over prompts; a span is the largest less the smallest value
of a prompt, the largest such number over prompts.

Main results: `gibbs`, `shift`, `lipschitz`, `nearness`, `multiplier`, `cold`, `soft_bellman`.
"""

from sympy import Abs, exp, log

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le
from ..theorem import Assumption, Provenance, Source, Theorem

SACPO = "Wachi, Tran, Sato, Tanabe, Akimoto 2024 (SACPO)"
OURS = Source("holdfast", "for KL-regularised policies", Provenance.DERIVED)

beta = Quantity("beta", "weight of the KL divergence", Domain.POSITIVE, r"\beta")
best = Quantity("best", "J_f at the tilt by f", latex=r"J_f(\pi_f)")
J = Quantity("J", "J_f at another policy", latex=r"J_f(\pi)")
apart = Quantity("apart", "KL(pi | tilt)", Domain.NONNEGATIVE, r"\mathrm{KL}(\pi\|\pi_f)")
log_Z = Quantity("log_Z", "mean of log Z_f over prompts", latex=r"E_\rho\log Z_f")
gibbs = Theorem(
    label="tilts/gibbs",
    title="The tilt is optimal, and what another policy lacks is beta times its divergence from it",
    relation=Both(Eq(best - J, beta * apart), Eq(best, beta * log_Z)),
    source=Source(SACPO, "Lemma 4; the identity of the gap is ours", Provenance.READ),
    proof="beta log(tilt) = beta log(reference) + f - beta log Z; put it into KL(pi | tilt).",
    remark="The policy may leave responses out.",
)

moved_best = Quantity("moved_best", "J at the tilt by f + c", latex=r"J_{f+c}(\pi_{f+c})")
moved_chance = Quantity("moved_chance", "probability of a response under it", Domain.PROBABILITY)
chance = Quantity("chance", "its probability under the tilt by f", Domain.PROBABILITY)
mean_c = Quantity("mean_c", "mean of c over prompts", latex=r"E_\rho c")
PROMPT_ONLY = Assumption("prompt-only", "c depends on the prompt alone.")
shift = Theorem(
    label="tilts/shift",
    title="What depends on the prompt alone moves the value, and no policy",
    relation=Both(Eq(moved_best, best + mean_c), Eq(moved_chance, chance)),
    source=OURS,
    given=(PROMPT_ONLY,),
    proof="It cancels in e^(f/beta)/Z.",
    uses=("tilts/gibbs",),
)

other_best = Quantity("other_best", "J at the tilt by f'", latex=r"J_{f'}(\pi_{f'})")
largest = Quantity("largest", "largest size of f - f'", Domain.NONNEGATIVE, r"\max|f-f'|")
rise = Quantity("rise", "largest value of f - f'", latex=r"\max(f-f')")
lipschitz = Theorem(
    label="tilts/lipschitz",
    title="The value rises with f, by no more than f does",
    relation=Both(Le(Abs(best - other_best), largest), Le(best - other_best, rise)),
    source=OURS,
    proof="J_f - J_f' is E(f - f') at every policy; take the tilt by f.",
    uses=("tilts/gibbs",),
)

span = Quantity("span", "span of f - f'", Domain.NONNEGATIVE, r"\mathrm{sp}(f-f')")
divergence = Quantity(
    "divergence", "KL(tilt by f | tilt by f')", Domain.NONNEGATIVE, r"\mathrm{KL}(\pi_f\|\pi_{f'})"
)
log_ratio = Quantity(
    "log_ratio", "largest size of log(tilt by f / tilt by f')", Domain.NONNEGATIVE,
    r"\max|\log\tfrac{\pi_f}{\pi_{f'}}|",
)  # fmt: skip
nearness = Theorem(
    label="tilts/nearness",
    title="Tilts by rewards that differ by little are near",
    relation=Both(Le(divergence, span**2 / (8 * beta**2)), Le(log_ratio, span / beta)),
    source=OURS,
    proof="Hoeffding's lemma for the law of f - f' under a tilt; the second part from its Z.",
    uses=("tilts/gibbs",),
    remark="With f' = 0 it bounds how far the tilt is from the reference, as beta grows.",
)

slope = Quantity("slope", "derivative of E g by lambda, at the tilt by r + lambda g", latex="G'")
variance = Quantity("variance", "mean over prompts of the variance of g", Domain.NONNEGATIVE)
multiplier = Theorem(
    label="tilts/multiplier",
    title="The larger the multiplier, the safer the tilt",
    relation=Both(Eq(slope, variance / beta), Ge(slope, 0)),
    source=OURS,
    proof="The derivative of a mean under a Boltzmann law is a covariance, here of g with itself.",
    uses=("covariance/trick",),
    remark="So the multiplier that meets a level of E g can be found by bisection.",
)

missed = Quantity("missed", "mass that is not on the best responses", Domain.PROBABILITY)
p = Quantity("p", "mass of the best responses under the reference", Domain.PROBABILITY, "p")
gap = Quantity("gap", "value of the best less that of the second best", Domain.POSITIVE)
top = Quantity("top", "largest f", latex=r"\max f")
plain = Quantity("plain", "E f under the reference", latex=r"E_{ref}f")
ONE_PROMPT = Assumption("one-prompt", "There is one prompt.")
cold = Theorem(
    label="tilts/cold",
    title="At low temperatures all mass is on the best responses, at high ones as in the reference",
    relation=Both(
        Le(missed, (1 / p - 1) * exp(-gap / beta)),
        Ge(best, top + beta * log(p)),
        Le(best, top),
        Ge(best, plain),
    ),
    source=OURS,
    given=(ONE_PROMPT,),
    proof="Z >= p e^(top/beta); Jensen's inequality for the last part.",
    uses=("tilts/gibbs",),
    remark="Ties keep the proportions of the reference. As beta grows, tilts/nearness holds.",
)

root = Quantity("root", "V of the empty sequence", latex=r"V(\emptyset)")
log_Z_one = Quantity("log_Z_one", "log Z_r over all sequences", latex=r"\log Z_r")
product = Quantity("product", "product of the policies of the tokens", Domain.PROBABILITY)
whole = Quantity("whole", "its probability under the tilt of sequences", Domain.PROBABILITY)
ENDS = Assumption("ends", "A sequence ends with the first end token, or at the horizon.")
soft_bellman = Theorem(
    label="tilts/soft-bellman",
    title="The tilt of a law of sequences, token by token",
    relation=Both(Eq(root, beta * log_Z_one), Eq(product, whole)),
    source=OURS,
    given=(ENDS,),
    proof="The product over tokens of e^((V(hv) - V(h))/beta) telescopes to e^(r/beta)/Z.",
    uses=("tilts/gibbs",),
    remark="V(h) = beta log sum reference(v|h) e^(V(hv)/beta), and V of a whole sequence is r.",
)
