r"""When a multiplier under PID control comes to rest, on the linear-quadratic plant.

The plant is :math:`\min_x\frac a2x^2` subject to :math:`g=bx=0`: the neighbourhood of an optimum
with one active constraint, moved to 0.  The policy descends in continuous time (`pid_steps`: by
steps), and the controller makes lambda from the violation e = bx.  Nothing is projected, so that
all of this is LOCAL; the derivative has both signs unless it is said to be rectified.

Main results: `continuous`, `critical`, `adaptive`; harmful: `inertial`, `incremental`.
"""

from sympy import Abs, sqrt

from ..quantities import Domain, Quantity
from ..relations import Both, Eq, Gt, Le, Lt
from ..theorem import Assumption, Provenance, Source, Theorem

STOOKE = "Stooke, Achiam, Abbeel 2020 (arXiv:2007.03964)"
OURS = Source("holdfast", f"for the PID controllers of {STOOKE}", Provenance.DERIVED)
_FREE, _AT_LEAST_0 = Domain.REAL, Domain.NONNEGATIVE

a = Quantity("a", "curvature of the objective", _AT_LEAST_0)
b = Quantity("b", "slope of the constraint")
kp = Quantity("K_P", "proportional gain", _AT_LEAST_0, "K_P")
ki = Quantity("K_I", "integral gain, outside the integral", _AT_LEAST_0, "K_I")
kd = Quantity("K_D", "derivative gain", _AT_LEAST_0, "K_D")
brake, inertia = a + b**2 * kp, 1 + b**2 * kd

ACTIVE = Assumption("active", "b is not 0.")
INTEGRAL = Assumption("integral", "K_I > 0.")
BRAKED = Assumption("braked", "a + b^2 K_P > 0.")
OFF = Assumption("off-the-edge", "No eigenvalue lies on the edge, and no margin is 0.")

trace = Quantity("trace", "sum of the eigenvalues", latex=r"\mathrm{tr}\,M")
determinant = Quantity("determinant", "product of the eigenvalues", latex=r"\det M")
abscissa = Quantity("abscissa", "largest real part of an eigenvalue", latex=r"\max\Re s")
continuous = Theorem(
    label="pid/continuous",
    title="In continuous time PID control of the multiplier comes to rest",
    relation=Both(
        Eq(trace, -brake / inertia),
        Eq(determinant, b**2 * ki / inertia),
        Lt(abscissa, 0),
    ),
    source=OURS,
    given=(ACTIVE, INTEGRAL, BRAKED),
    proof="(1 + b^2 K_D) x'' + (a + b^2 K_P) x' + b^2 K_I x = 0, a spring with a brake.",
    remark="Without a and K_P it is a spring without a brake, and swings for ever.",
)
discriminant = Quantity("discriminant", "squared difference of the eigenvalues", latex=r"\Delta")
critical = Theorem(
    label="pid/critical",
    title="It swings as long as the proportional gain is below a critical one",
    relation=Gt((kp - (2 * Abs(b) * sqrt(ki * inertia) - a) / b**2) * discriminant, 0),
    source=OURS,
    given=(ACTIVE, Assumption("not-critical", "K_P is not the critical gain.")),
    proof="The eigenvalues are complex if (a + b^2 K_P)^2 < 4 b^2 K_I (1 + b^2 K_D).",
    uses=("pid/continuous",),
    remark="Pure integral control swings if and only if a^2 < 4 b^2 K_I.",
)
zeta_D = Quantity("zeta_D", "squared damping ratio with K_D", _AT_LEAST_0, r"\zeta_D^2")
zeta_0 = Quantity("zeta_0", "squared damping ratio without K_D", _AT_LEAST_0, r"\zeta_0^2")
inertial = Theorem(
    label="pid/inertia",
    title="A derivative of both signs lowers the damping ratio: it adds inertia, P is what brakes",
    relation=Both(Eq(zeta_D * inertia, zeta_0), Lt(zeta_D, zeta_0)),
    source=OURS,
    given=(ACTIVE, INTEGRAL, BRAKED, Assumption("derivative", "K_D > 0.")),
    proof="zeta = (a + b^2 K_P) / (2 |b| sqrt(K_I (1 + b^2 K_D))).",
    uses=("pid/continuous",),
    remark="Of a linear-quadratic plant in continuous time; a rectified derivative is another one.",
)
energy_rate = Quantity("energy_rate", "derivative of |x'|^2/2 + K_I |g|^2/2", latex=r"\dot E")
bent = Quantity("bent", "x' H x' for the Hessian H", _AT_LEAST_0, r"\dot x^\top H\dot x")
moved = Quantity("moved", "|A x'|^2 for the constraints g = A x", _AT_LEAST_0, r"|A\dot x|^2")
energy = Theorem(
    label="pid/energy",
    title="With several variables and constraints, P and the curvature take energy, and only they",
    relation=Both(Eq(energy_rate, -bent - kp * moved), Le(energy_rate, 0)),
    source=OURS,
    given=(Assumption("convex", "The Hessian H is positive semidefinite; K_D = 0."),),
    proof="x'' + (H + K_P A'A) x' + K_I A' g = 0; multiply by x'.",
)

gain = Quantity("K_I", "integral gain of the moment", Domain.POSITIVE, "K_I")
rate = Quantity("rate", "derivative of V = x^2/2 + K_I I^2/2 while K_P moves", latex=r"\dot V")
rate_in = Quantity("rate_inside", "derivative of V = x^2/2 + p^2/(2 K_I), p' = K_I(t) g, while K_P "
                   "and K_I move", latex=r"\dot V_{\rm in}")  # fmt: skip
rate_out = Quantity("rate_outside", "derivative of V = x^2/2 + K_I I^2/2 while K_P and K_I move",
                    latex=r"\dot V_{\rm out}")  # fmt: skip
x = Quantity("x", "state of the plant")
total = Quantity("I", "integral of g", latex="I")
inner = Quantity("p", "integral of K_I g", latex="p")
slope = Quantity("slope", "derivative of K_I by time", latex=r"\dot K_I")
adaptive = Theorem(
    label="pid/adaptive",
    title="K_P may move freely; K_I may rise if it stands inside the integral",
    relation=Both(
        Eq(rate, -brake * x**2),
        Eq(rate_in, -brake * x**2 - slope * inner**2 / (2 * gain**2)),
        Eq(rate_out, -brake * x**2 + slope * total**2 / 2),
        Le(rate, 0),
    ),
    source=OURS,
    proof="Differentiate; the terms of the integral and of the spring cancel.",
    remark="With the gain outside, a K_I that swings can pump: the last rate may be above 0.",
)
c2 = Quantity("c_2", "coefficient of z^2 of det(z - M)", latex="c_2")
c1 = Quantity("c_1", "coefficient of z of det(z - M)", latex="c_1")
c0 = Quantity("c_0", "constant coefficient of det(z - M)", latex="c_0")
incremental = Theorem(
    label="pid/incremental",
    title="A PID output that is ADDED to the multiplier needs curvature to come to rest",
    relation=Both(
        Eq(c2, a + b**2 * kd),
        Eq(c1, b**2 * kp),
        Eq(c0, b**2 * ki),
        Lt(abscissa * ((a + b**2 * kd) * kp - ki), 0),
    ),
    source=Source("omnisafe", "docstring of its PID Lagrangian, unlike its code; form ours",
                  Provenance.DERIVED),
    given=(ACTIVE, INTEGRAL, OFF),
    proof="One more integrator; the criterion of Routh for three zeros.",
    uses=("pid/continuous",),
    remark="In continuous time. Without curvature and derivative it never comes to rest.",
)  # fmt: skip
