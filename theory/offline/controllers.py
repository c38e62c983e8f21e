r"""Controllers of a multiplier: which of them are the same, and what they do with wrong scales.

J_k is the cost measured in update k, d its limit.

Main results: `augmented`, `ascent`, `wind_up`, `scaling`.
"""

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Le, Lt
from ..theorem import Assumption, Provenance, Source, Theorem
from .pid import OURS

x_pi = Quantity("x_pi", "last iterate under PI control", latex="x^{PI}")
x_al = Quantity("x_al", "last iterate of the augmented Lagrangian", latex="x^{AL}")
lam_pi = Quantity("lam_pi", "last multiplier of PI control", latex=r"\lambda^{PI}")
mu = Quantity("mu", "last multiplier of the augmented Lagrangian", latex=r"\mu")
omega = Quantity("omega", "weight of the penalty, and the proportional gain", latex=r"\omega")
h = Quantity("h", "constraint function at the last but one iterate", latex="h")
augmented = Theorem(
    label="controllers/augmented",
    title="PI control of an equality constraint is the augmented Lagrangian method",
    relation=Both(Eq(x_pi, x_al), Eq(lam_pi, mu + omega * h)),
    source=Source("Ramirez and Lacoste-Julien 2025 (arXiv:2509.22500)",
                  "the idea of its title; form ours", Provenance.DERIVED),
    given=(Assumption("alternating", "x steps with the multiplier that has already moved; h_{-1} "
                      "counts as 0."),),
    proof="The penalty's gradient is omega h grad h: it acts as the multiplier mu + omega h.",
    remark="No convexity is used. With simultaneous steps it is false.",
)  # fmt: skip
lam_pid = Quantity("lam_pid", "multiplier of the PID", Domain.NONNEGATIVE, r"\lambda^{PID}")
lam_ascent = Quantity("lam_ascent", "multiplier of projected dual ascent", Domain.NONNEGATIVE,
                      r"\lambda^{asc}")  # fmt: skip
ascent = Theorem(
    label="controllers/ascent",
    title="Pure integral control with a clipped integral is projected dual ascent",
    relation=Eq(lam_pid, lam_ascent),
    source=OURS,
    given=(
        Assumption("same-step", "Its step is the integral gain, above 0, and it has no cap."),
        Assumption("same-start", "The integral starts at lambda_0 / K_I."),
    ),
    proof="K_I max(I + e, 0) = max(K_I I + K_I e, 0).",
)
silent = Quantity("silent", "updates after the change at which the multiplier stays 0",
                  Domain.COUNT, "n")  # fmt: skip
length = Quantity("T", "updates below the limit before it", Domain.COUNT, "T")
fall = Quantity("fall", "how far below the limit they were", Domain.NONNEGATIVE, r"\delta")
rise = Quantity("rise", "how far above it the costs are since", Domain.POSITIVE, r"\delta'")
wind_up = Theorem(
    label="controllers/wind-up",
    title="An integral that is not clipped stays silent for as long as it was wound up",
    relation=Both(Le(silent * rise, length * fall), Lt(length * fall, (silent + 1) * rise)),
    source=OURS,
    given=(Assumption("pure", "K_P = K_D = 0, K_I > 0, and the integral starts at 0."),),
    proof="The integral is -T delta, then rises by delta' an update.",
    remark="T = 100, delta = 1 and delta' = 2: 50 silent updates, an answer at the 51st.",
)
rho = Quantity("rho", "factor of the reward", Domain.POSITIVE, r"\rho")
lam = Quantity("lam", "multiplier", Domain.NONNEGATIVE, r"\lambda")
lam_scaled = Quantity("lam_scaled", "multiplier with rho times the gains, start and cap",
                      Domain.NONNEGATIVE, r"\lambda_\rho")  # fmt: skip
best = Quantity("best", "largest J_r - lam J_c of a policy", latex="D")
best_scaled = Quantity("best_scaled", "largest rho J_r - lam_scaled J_c", latex=r"D_\rho")
divided = Quantity("divided", "largest (J_r - lam J_c)/(1 + lam)", latex="D'")
scaling = Theorem(
    label="controllers/scaling",
    title="A multiplied reward needs multiplied gains; dividing by 1 + lam changes no response",
    relation=Both(
        Eq(lam_scaled, rho * lam), Eq(best_scaled, rho * best), Eq(divided * (1 + lam), best)
    ),
    source=OURS,
    given=(Assumption("gains", "All gains, the start and the cap are multiplied by rho."),),
    proof="Every form of the PID is positively homogeneous in its gains, its start and its cap.",
)
