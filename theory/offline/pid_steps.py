r"""PID control of a multiplier by steps: exactly which gains come to rest, and which may move.

The plant of `pid`, with :math:`x_{k+1}=x_k-\eta(ax_k+b\lambda_k)` and a multiplier that already
answers to :math:`x_k`.

Main results: `discrete`, `jury`, `switching`; harmful: `smoothed`.
"""

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Ge, Le, Lt
from ..theorem import Assumption, Provenance, Source, Theorem
from .pid import (
    ACTIVE,
    BRAKED,
    INTEGRAL,
    OFF,
    OURS,
    a,
    b,
    brake,
    c0,
    c1,
    c2,
    determinant,
    kd,
    ki,
    kp,
)

eta = Quantity("eta", "step size of the policy", Domain.POSITIVE, r"\eta")
radius = Quantity("radius", "largest modulus of an eigenvalue", Domain.NONNEGATIVE, r"\varrho(M)")
D = eta * b**2
COMPLEX = Assumption("swinging", "Both eigenvalues are complex.")
at_one = Quantity("at_one", "det(1 - M)", latex=r"\chi(1)")
at_minus = Quantity("at_minus_one", "(-1)^n det(-1 - M), n eigenvalues", latex=r"\pm\chi(-1)")
PI_MARGIN = 4 - 2 * eta * brake - D * ki
discrete = Theorem(
    label="pid/discrete",
    title="PI control with steps: exactly when it comes to rest",
    relation=Both(
        Eq(determinant, 1 - eta * brake),
        Eq(at_one, D * ki),
        Eq(at_minus, PI_MARGIN),
        Lt((radius - 1) * PI_MARGIN, 0),
    ),
    source=OURS,
    given=(ACTIVE, INTEGRAL, BRAKED, OFF),
    proof="Jury's conditions for two eigenvalues: det < 1, det(1 - M) > 0 and det(-1 - M) > 0, the "
    "first two of which are assumed.",
    remark="x_{k+1} = x_k - eta (a x_k + b lambda_k), with lambda_k of the violation at x_k.",
)
PID_MARGIN = PI_MARGIN - 4 * D * kd
jury = Theorem(
    label="pid/jury",
    title="PID control with steps: exactly when it comes to rest",
    relation=Both(
        Eq(c2, eta * a + D * (kp + ki + kd) - 2),
        Eq(c1, 1 - eta * a - D * (kp + 2 * kd)),
        Eq(c0, D * kd),
        Lt((radius - 1) * PID_MARGIN, 0),
    ),
    source=OURS,
    given=(ACTIVE, INTEGRAL, Assumption("moved", "a + b^2 K_P > 0 or K_D > 0."), OFF),
    proof="Jury's conditions for three zeros. With gains >= 0 the one at z = -1, which is the last "
    "bracket, bounds K_D, and then implies all others.",
    uses=("pid/discrete",),
    remark="The derivative has both signs; it spends the limit four times as fast as K_I does, and "
    "twice as fast as K_P.",
)
alternating = Quantity("alternating", "largest |z|^2 of pure I with steps", latex=r"|z|^2_{I}")
simultaneous = Quantity("simultaneous", "the same if lambda is that of the step before",
                        latex=r"|z|^2_{\rm sim}")  # fmt: skip
damped = Quantity("damped", "largest |z|^2 of PI with steps", latex=r"|z|^2_{PI}")
bilinear = Theorem(
    label="pid/bilinear",
    title="Without curvature pure I goes round for ever, simultaneous steps diverge, P contracts",
    relation=Both(
        Eq(alternating, 1),
        Eq(simultaneous, 1 + D * ki),
        Eq(damped, 1 - D * kp),
    ),
    source=OURS,
    given=(Assumption("bilinear", "a = 0."), COMPLEX),
    proof="A complex pair has the determinant as its squared modulus.",
    uses=("pid/discrete",),
)

before = Quantity("before", "V = y' P y", Domain.POSITIVE, "V(y)")
after = Quantity("after", "V after a step with gains between the ends", Domain.NONNEGATIVE, "V(My)")
at_low = Quantity("at_low", "V after a step at one end", Domain.NONNEGATIVE, "V(M_0y)")
at_high = Quantity("at_high", "V after a step at the other end", Domain.NONNEGATIVE, "V(M_1y)")
share = Quantity("share", "of the first end in the gains", Domain.PROBABILITY, "w")
switching = Theorem(
    label="pid/switching",
    title="A form that falls at both ends of a box of gains falls under every switching between",
    relation=Both(
        Le(after, share * at_low + (1 - share) * at_high),
        Lt(at_low, before),
        Lt(at_high, before),
        Lt(after, before),
    ),
    source=OURS,
    given=(
        Assumption("form", "P and P - M'PM are positive definite for the matrices of both ends."),
        Assumption("boxed", "The gains lie between those of the ends; M is affine in them."),
    ),
    proof="V is convex, and M(K) y lies between M_0 y and M_1 y.",
    remark="For a rectified derivative, K_D or 0 by the sign, and for gains that adapt in a box.",
)

memory = Quantity("alpha_P", "weight of the past in the smoothed violation", Domain.DISCOUNT,
                  r"\alpha_P")  # fmt: skip
smoothed = Theorem(
    label="pid/smoothed",
    title="Smoothing the proportional term takes its damping",
    relation=Both(
        Eq(c2, eta * a - 2 - memory + D * (kp * (1 - memory) + ki)),
        Eq(c1, (1 - eta * a) * (1 + memory) + memory - D * (kp * (1 - memory) + memory * ki)),
        Eq(c0, -memory * (1 - eta * a)),
        Ge(radius**3, memory * (1 - eta * a)),
    ),
    source=Source("omnisafe", "its PID Lagrangian, K_D = 0; form ours", Provenance.DERIVED),
    proof="The characteristic polynomial; the product of three eigenvalues is below radius^3.",
    uses=("pid/discrete",),
    remark="At alpha_P = 0.95, the default, and a = 0 no gains contract by more than 0.983 a step.",
)
