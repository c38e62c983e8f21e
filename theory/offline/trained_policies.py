r"""What may be said of policies that were trained offline, and then online: costs, ranks, speed.

A policy is a network that was trained on recorded episodes; :math:`J_r` and :math:`J_c` are its
expected return and cost of an episode, UN-normalised and not discounted, of likeliest actions.
What the theory promises of maximisers is believed of networks, and each run is a chance to refute
it.  The multiplier of a dual ascent is another matter: its speed limit holds in every run.

Main results: `cheaper`, `better`, `aligned`, `speed_limit`.
"""

from ..quantities import Domain, Quantity
from ..relations import Both, Ge, Le
from ..theorem import Assumption, Provenance, Source, Theorem

WSAC = "Wei, Peng, Ghosh, Liu 2024 (arXiv:2401.00629v2)"
MARVEL = "Chen, Wei, Deng, Lin (arXiv:2412.04426)"
NEAR = Assumption(
    "near", "The training ends near a maximiser of the objective of algorithm 2, beta = 20."
)
PENALISED = Assumption(
    "penalised", "Costs above those of the data are penalised: lambda = 2, with a margin of 1/20."
)
J_c = Quantity("J_c", "expected cost of the trained policy", Domain.NONNEGATIVE, r"J_c(\pi)")
J_c_data = Quantity("J_c_mu", "expected cost of the data", Domain.NONNEGATIVE, r"J_c(\mu)")
cheaper = Theorem(
    label="offline-policies/cheaper",
    title="A policy that WSAC trained costs at most what the recorded episodes do",
    relation=Le(J_c, J_c_data),
    source=Source(f"holdfast, for {WSAC}", "Theorem 4.1, of a trained network", Provenance.DERIVED),
    given=(NEAR, PENALISED),
    proof="The data's own policy has the objective 0, and a maximiser no less: what it costs more "
    "than the data is at most what it earns more, over lambda.",
    remark="The theorem allows 1 / lambda more, in normalised returns; networks are held to none. "
    "Of likeliest actions: where actions are drawn the trained policies cost far more.",
)
J_r = Quantity("J_r", "expected return of the trained policy", latex=r"J_r(\pi)")
J_clone = Quantity("J_r_bc", "expected return of behaviour cloning", latex=r"J_r(\pi_{\rm BC})")
better = Theorem(
    label="offline-policies/better",
    title="A policy that WSAC trained earns at least what it earned as the likeliest of the data",
    relation=Ge(J_r, J_clone),
    source=Source(
        f"holdfast, for {WSAC}", "Theorem 5.6 and App. C, of a trained network", Provenance.DERIVED
    ),
    given=(NEAR,),
    proof="The cloned policy, from which the training begins, stands for the data's own; a "
    "maximiser earns no less.",
    remark="The theorem is about the data's own policy, of which a squashed normal law is none.",
)

OWN = Assumption(
    "own", "Between the two measurements the critics are fitted to values of that policy alone."
)
rho_before = Quantity("rho_0", "rank correlation of critic and returns before", latex=r"\rho_0")
rho_after = Quantity("rho_1", "the same after value pre-alignment", latex=r"\rho_1")
aligned = Theorem(
    label="offline-policies/aligned",
    title="Value pre-alignment does not lower the rank correlation of critics with returns",
    relation=Le(rho_before, rho_after),
    source=Source(
        f"holdfast, for {MARVEL}", "value pre-alignment, of trained networks", Provenance.DERIVED
    ),
    given=(OWN,),
    proof="None in general: sweeps of the operator contract to the policy's values, on the way to "
    "which the correlation may fall. It is believed of critics that begin far away.",
    remark="Spearman's correlation with discounted returns of rollouts of the fixed policy, of 200 "
    "recorded states with recorded and with drawn actions; the body of the paper was not read.",
)

ASCENT = Assumption(
    "ascent", "The multiplier moves by projected dual ascent, on costs from 0 to C an episode."
)
lam = Quantity("lam_k", "multiplier after k updates", Domain.NONNEGATIVE, r"\lambda_k")
lam_start = Quantity("lam_0", "multiplier at the start", Domain.NONNEGATIVE, r"\lambda_0")
updates = Quantity("k", "updates", Domain.NONNEGATIVE, "k")
eta = Quantity("eta", "step size", Domain.NONNEGATIVE, r"\eta")
limit = Quantity("d", "limit of the cost", Domain.NONNEGATIVE, "d")
dearest = Quantity("C", "the most that an episode costs", Domain.NONNEGATIVE, "C")
speed_limit = Theorem(
    label="offline-policies/speed-limit",
    title="A multiplier of dual ascent moves no faster than the step size times the limit allows",
    relation=Both(
        Ge(lam, lam_start - updates * eta * limit),
        Le(lam, lam_start + updates * eta * (dearest - limit)),
    ),
    source=Source("holdfast", f"on the multiplier mismatch of {MARVEL}", Provenance.DERIVED),
    given=(ASCENT,),
    proof="Each update adds eta (J_c - d), with J_c from 0 to C, and the projection only shortens "
    "a fall.",
    remark="A policy that costs nothing while its multiplier is too large attains the lower line: "
    "coming down takes (lam_0 - lam*) / (eta d) updates.",
)
