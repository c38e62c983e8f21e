"""Bilevel problems with linear dynamics and a soft quadratic follower, in closed form.

The follower's best response is Gaussian and comes from a Riccati equation, the states are Gaussian,
and so the leader's objective is a sum of integrals that are known.  All of it is analytic in the
leader's parameters: the derivative is taken by a complex step, which has no error of truncation or
cancellation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import ModelError
from ..sequences import Array
from .adjoint import Terms, check_terms
from .checks import check_discount, check_temperature, reals

_COMPLEX_STEP = 1e-60
"""Its square vanishes beside anything here, so the derivative is exact to rounding."""
_RICCATI_STEPS = 2_000
"""Riccati's iteration converges at the rate of the closed loop; that of a follower who can not
steer its state does not converge at all."""
_SETTLED = 1e-15
"""Relative change at which the recursion, and the sum over time, are down to rounding."""


@dataclass(frozen=True)
class Dynamics:
    """x' = A x + B u + E w with normal w, and what the follower pays for x and u.

    Attributes: drift A [n, n], control B [n, m], noise E [n, k], at the leader's parameters; sees:
    whether the follower sees w before it acts.
    """

    drift: Array
    control: Array
    noise: Array
    sees: bool


@dataclass(frozen=True)
class Response:
    """The follower's policy u ~ N(-gain x - reaction w, covariance)."""

    gain: Array
    reaction: Array
    covariance: Array


@dataclass(frozen=True)
class Regulator:
    """A leader who moves the dynamics of a follower with quadratic costs.

    The follower minimises E sum gamma_F^t [x'Qx + u'Ru + beta log g], UN-normalised.

    Attributes:
        parameters: float64[d].
        dynamics: of the parameters.
        hold: of (parameters, moved parameters, response): the same policy, written in the noise
            that is left at the moved parameters, of which the leader's action is a function.
        reward: E r_L of (parameters, mean [n], covariance [n, n], response) at one step.
        state_cost, action_cost: Q and R.
        mean, covariance: of the first state.
    """

    parameters: Array
    dynamics: Callable[[Array], Dynamics]
    hold: Callable[[Array, Array, Response], Response]
    reward: Callable[[Array, Array, Array, Response], complex]
    state_cost: Array
    action_cost: Array
    mean: Array
    covariance: Array
    temperature: float
    follower_discount: float
    leader_discount: float

    def __post_init__(self) -> None:
        reals(self.parameters, "parameters")
        check_temperature(self.temperature)
        for name in ("follower_discount", "leader_discount"):
            check_discount(name, getattr(self, name))
        size, inputs = np.shape(self.mean), np.shape(self.action_cost)[:1]
        reals(self.mean, "mean")
        for name, shape in (("state_cost", size * 2), ("covariance", size * 2),
                            ("action_cost", inputs * 2)):  # fmt: skip
            reals(getattr(self, name), name, shape)

    def _at(self, parameters: Array | None) -> Array:
        shape = np.shape(self.parameters)
        given = self.parameters if parameters is None else parameters
        return reals(given, "parameters", shape)

    def respond(self, parameters: Array) -> Response:
        """The follower's best response; ModelError if the Riccati recursion does not converge."""
        system, discount = self.dynamics(parameters), self.follower_discount
        value, control = self.state_cost.astype(complex), system.control
        for _ in range(_RICCATI_STEPS):
            inner = self.action_cost + discount * control.T @ value @ control
            gain = discount * np.linalg.solve(inner, control.T @ value @ system.drift)
            closed = system.drift - control @ gain
            after = self.state_cost + discount * system.drift.T @ value @ closed
            change = np.abs(after - value).max()
            sensitivity = np.abs((after - value).imag).max() - _SETTLED * np.abs(after.imag).max()
            value = after
            if change <= _SETTLED * np.abs(value).max() and sensitivity <= 0:
                break
        else:
            raise ModelError(
                f"the follower's Riccati recursion does not settle at parameters "
                f"{np.real(parameters).tolist()}; choose some at which it can steer its state"
            )
        inner = self.action_cost + discount * control.T @ value @ control
        solve = discount * np.linalg.solve(inner, control.T @ value)
        reaction = solve @ system.noise if system.sees else 0 * (solve @ system.noise)
        return Response(solve @ system.drift, reaction, self.temperature / 2 * np.linalg.inv(inner))

    def _return(self, parameters: Array, response: Response) -> complex:
        system = self.dynamics(parameters)
        closed = system.drift - system.control @ response.gain
        spread = system.noise - system.control @ response.reaction
        added = spread @ spread.T + system.control @ response.covariance @ system.control.T
        mean, covariance = self.mean.astype(complex), self.covariance.astype(complex)
        total, factor, largest = 0j, 1.0, np.zeros(2)
        while factor > _SETTLED:
            total += factor * self.reward(parameters, mean, covariance, response)
            factor *= self.leader_discount
            after = closed @ mean, closed @ covariance @ closed.T + added
            moved = np.concatenate([after[0] - mean, (after[1] - covariance).ravel()])
            mean, covariance = after
            changes = np.array([np.abs(moved.real).max(), np.abs(moved.imag).max()])
            largest = np.maximum(largest, changes)
            if (changes <= _SETTLED * largest).all():  # values and derivatives: nothing changes
                last = self.reward(parameters, mean, covariance, response)
                return total + factor * last / (1 - self.leader_discount)
        return total

    def objective(self, parameters: Array | None = None) -> float:
        """J_L = E sum gamma_L^t r_L under the best response, UN-normalised."""
        theta = self._at(parameters)
        return float(self._return(theta, self.respond(theta)).real)

    def gradient(self, parameters: Array | None = None, *, terms: Terms = "all") -> Array:
        """float64[d], the hypergradient, or its direct or indirect term, exact to rounding."""
        check_terms(terms)
        theta = self._at(parameters)
        held, slopes = self.respond(theta), []
        for direction in np.eye(theta.size):
            moved = theta + 1j * _COMPLEX_STEP * direction
            own = moved if terms != "indirect" else theta
            answers = terms != "direct"
            response = self.respond(moved) if answers else self.hold(theta, moved, held)
            if terms == "indirect":
                response = self.hold(moved, theta, response)
            slopes.append(self._return(own, response).imag / _COMPLEX_STEP)
        return np.array(slopes)


def bilevel_lqr(gains: tuple[float, float] = (0.0, 0.0)) -> Regulator:
    """The bilevel LQR: x' = A x + B u + C a, where the leader draws a ~ N(K x, W^2), seen by u.

    Known from the released code: A = [[0, 1], [0, 0]], B = [0, .1], C = [.1, 0], Q = I, R = 1,
    W = 1e-3, start (1, 0), discounts .95 (follower) and .99 (leader), and the leader's reward
    exp(-sum ((x - (-.8, 0)) / (.2, .01))^2 / 2) in the state that a step begins in.  Temperature
    .1.  Chosen here: the horizon of 100 steps is infinite; K are the parameters and W is fixed.
    """
    drift, control = np.array([[0.0, 1.0], [0.0, 0.0]]), np.array([[0.0], [0.1]])
    pushed, noise = np.array([[0.1], [0.0]]), 1e-3
    target, widths = np.array([-0.8, 0.0]), np.diag([0.2**2, 0.01**2])

    def dynamics(k: Array) -> Dynamics:
        return Dynamics(drift + pushed @ k[None], control, noise * pushed, True)

    def hold(known: Array, moved: Array, response: Response) -> Response:
        # u = -gain x - reaction w with a = K x + W w: the same function of x and a
        shifted = response.reaction / noise @ (known - moved)[None]
        return Response(response.gain - shifted, response.reaction, response.covariance)

    def reward(_: Array, mean: Array, covariance: Array, __: Response) -> complex:
        total, off = widths + covariance, mean - target
        height = np.sqrt(np.linalg.det(widths) / np.linalg.det(total))
        return complex(height * np.exp(-(off @ np.linalg.solve(total, off)) / 2))

    return Regulator(
        reals(gains, "gains", (2,)), dynamics, hold, reward, np.eye(2), np.eye(1),
        np.array([1.0, 0.0]), np.zeros((2, 2)), 0.1, 0.95, 0.99,
    )  # fmt: skip


def building_control(logits: Array | None = None) -> Regulator:
    """Thermal control of four zones with two units: insulation and air flow are the leader's.

    Known from the released code (its third variant, which is the published one): all matrices,
    temperature .1, both discounts .9, first deviations normal with standard deviation 5, noise .02,
    the leader's reward -var(x) - .5 u'u - .1 insulation^2 - .1 air flow^2 where both are
    sigmoids of four logits each.  Chosen here: deviations and power are not clipped and the noise
    not truncated, which makes the Gaussian response exact; the horizon of 100 steps is infinite.
    """
    leak = np.array([0.04, 0.03, 0.06, 0.05])
    flow = np.array(
        [[0, 0.05, 0, 0.05], [0.03, 0, 0.04, 0], [0, 0.04, 0, 0.06], [0.05, 0, 0.03, 0]]
    )
    control = np.array([[0.1, 0], [0.6, 0], [0, 0.55], [0, 0.3]])
    centred = np.eye(4) / 4 - np.ones((4, 4)) / 16

    def levels(theta: Array) -> tuple[Array, Array]:
        shares = 1 / (1 + np.exp(-theta))
        return shares[:4], shares[4:]

    def dynamics(theta: Array) -> Dynamics:
        insulation, air = levels(theta)
        # air[i] scales the exchange of zones i and i + 1, the last with the first
        after = np.roll(np.eye(4), 1, axis=1)
        exchange = flow * (air[:, None] * after + (air[:, None] * after).T)
        kept = 1 + leak * (1 - insulation) - exchange.sum(axis=1)
        return Dynamics(np.diag(kept) + exchange, control, 0.02 * np.eye(4), False)

    def hold(_: Array, __: Array, response: Response) -> Response:
        return response

    def reward(theta: Array, mean: Array, covariance: Array, response: Response) -> complex:
        second = covariance + np.outer(mean, mean)
        power = np.trace(response.gain @ second @ response.gain.T + response.covariance)
        paid = sum((each**2).sum() for each in levels(theta))
        return complex(-(centred * second).sum() - 0.5 * power - 0.1 * paid)

    start = np.zeros(8) if logits is None else reals(logits, "logits", (8,))
    return Regulator(
        start, dynamics, hold, reward, np.diag([8.0, 1.0, 5.0, 6.0]), 0.01 * np.eye(2),
        np.zeros(4), 25 * np.eye(4), 0.1, 0.9, 0.9,
    )  # fmt: skip
