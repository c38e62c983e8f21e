"""Counterexamples to what is printed on flipping policies, each with its derivation.

``ce1`` is against Theorems 1, 2 and 10 of the flipping paper, ``ce2`` against two actions under one
joint constraint, ``ce3`` against Theorem 5; ``ce4``, against Theorem 8, is beside its claim in
`holdfast.verify.chance.claims.policy_sampling`.  Reports call them CE-1 to CE-4.
"""

from __future__ import annotations

from fractions import Fraction

from holdfast.solvers import CMDP, Policy, from_arrays
from holdfast.solvers.chance.windows.problem import WindowProblem

from ...binding.proofs import Proved, calculated
from ...kernel import format_rational

Rows = list[list[list[Fraction | int]]]
Rewards = list[list[Fraction | int]]
_HALF, _FIFTH, _TENTH = Fraction(1, 2), Fraction(1, 5), Fraction(1, 10)
Y, X, W, Z, U = range(5)
"""The states of CE-1: before the decision, at it, a hazard after it, the end, the unsafe state."""


def _model(
    rows: Rows,
    rewards: Rewards,
    discount: Fraction,
    start: int,
) -> CMDP:
    """A model from the rows and rewards of the actions that each state has."""
    size, width = len(rows), max(map(len, rows))
    full = [[*own, *([own[0]] * (width - len(own)))] for own in rows]
    paid = [[*own, *([0] * (width - len(own)))] for own in rewards]
    return from_arrays(
        full,
        paid,
        discount=discount,
        initial=[int(s == start) for s in range(size)],
        available=[[a < len(own) for a in range(width)] for own in rows],
    )


def ce1(
    start: int = X,
    discount: Fraction = Fraction(9, 10),
    *,
    additive: bool = False,
    offset: int = 0,
    window: int = 2,
) -> WindowProblem:
    """Three actions are needed: T = 2, alpha = 1/5, p = pi(.|x).

    y -> x with probability 9/10, else U; w -> U with probability 1/5, else z; z stays, and so does
    U (with `additive`, U -> z).  In x: a1 -> z pays 0; a2 -> U or z, half each, pays 3; a3 -> w
    pays 1; `offset` is added to all three.

    From x the risk is p2/2 + p3/5 <= 1/5; from y it is 1/10 + 9/10 (p2/2) <= 1/5, so p2 <= 2/9; w
    is at 1/5 exactly.  3 p2 + p3 = 5 (p2/2 + p3/5) + p2/2 <= 5/5 + 1/9 = 10/9, attained only where
    both bind, at p = (1/3, 2/9, 4/9).  With two actions: a1, a2 give at most 3 (2/9) = 2/3, a1, a3
    at most 1, and a2, a3 have p2 = 1 - p3 = 0 since p2/2 + p3/5 = 1/5 + 3 p2/10; so 1.  The program
    in x forgets y: p2 = 2/5, p3 = 0 gives 6/5.  All values grow by the offset; from y they are
    9 gamma/10 times as large.  An unsafe state is met at most once, so sums are probabilities.
    """
    rows: Rows = [
        [[0, 1 - _TENTH, 0, 0, _TENTH]],
        [[0, 0, 0, 1, 0], [0, 0, 0, _HALF, _HALF], [0, 0, 1, 0, 0]],
        [[0, 0, 0, 1 - _FIFTH, _FIFTH]],
        [[0, 0, 0, 1, 0]],
        [[0, 0, 0, 1, 0] if additive else [0, 0, 0, 0, 1]],
    ]
    rewards: Rewards = [[0], [offset, offset + 3, offset + 1], [0], [0], [0]]
    model = _model(rows, rewards, discount, start)
    return WindowProblem(model, (U,), window, _FIFTH, additive)


def four_actions() -> WindowProblem:
    """T + 1 actions at T = 3; y2 -> y1 -> x, hazards v -> w -> U, alpha = 1/5.

    y1 and y2 leak 1/20; w -> U with probability 1/5, v -> w.  In x: a1 is safe; a2 -> U half the
    time, 3; a3 -> w, 1; a4 -> v, 4/5: 6, 5 and 4 a unit of risk, after 1, 2 and 3 steps.  With
    u2, u3, u4 the risks of the parts, the windows from y2, y1 and x say u2 <= 41/361,
    u2 + u3 <= 3/19, u2 + u3 + u4 <= 1/5, and 6 u2 + 5 u3 + 4 u4 is largest where all three bind:
    u = (41/361, 16/361, 4/95), p = (2 u2, 5 u3, 5 u4) = (82/361, 80/361, 4/19), the rest 123/361.
    """
    y2, y1, x, v, w, z, bad = range(7)

    def to(*shares: tuple[int, Fraction | int]) -> list[Fraction | int]:
        return [dict(shares).get(t, 0) for t in range(7)]

    leak = Fraction(1, 20)
    rows: Rows = [
        [to((y1, 1 - leak), (bad, leak))],
        [to((x, 1 - leak), (bad, leak))],
        [to((z, 1)), to((z, _HALF), (bad, _HALF)), to((w, 1)), to((v, 1))],
        [to((w, 1))],
        [to((z, 1 - _FIFTH), (bad, _FIFTH))],
        [to((z, 1))],
        [to((bad, 1))],
    ]
    rewards: Rewards = [[0], [0], [0, 3, 1, Fraction(4, 5)], [0], [0], [0], [0]]
    assert (y2, v) == (0, 3)
    return WindowProblem(_model(rows, rewards, Fraction(9, 10), x), (bad,), 3, _FIFTH)


def ce2() -> tuple[WindowProblem, Policy]:
    """(problem, policy): more than two actions for one joint constraint, and stationary policies.

    x: a1 -> y pays 0, a2 -> U pays 15/8, a3 -> w pays 1; y -> x, w -> U; gamma = 1/10, T = 3, only
    the window from x at time 0, alpha = 1/4.  a2 and a3 first are unsafe within two steps; after a1
    the window is back in x with one step to go, where only a2 is: safety is p1 (1 - p2).
    The value V = 15/8 p2 + p3 + p1 V/100.  At p = (.8102, .0742, .1156) safety is .75008 and
    V = .254725/.991898 = .25681; flips are worth less, see `ce2_flips`.
    """
    rows: Rows = [
        [[0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]],
        [[1, 0, 0, 0]],
        [[0, 0, 0, 1]],
        [[0, 0, 0, 1]],
    ]
    model = _model(rows, [[0, Fraction(15, 8), 1], [0], [0], [0]], _TENTH, 0)
    problem = WindowProblem(model, (3,), 3, Fraction(1, 4), everywhere=False)
    law = Fraction(8102, 10000), Fraction(742, 10000), Fraction(1156, 10000)
    return problem, Policy((*law, Fraction(1), Fraction(1), Fraction(1)))


def ce2_flips() -> Proved:
    """An upper bound on what the flips of CE-2 are worth, between a1 and a2, or a1 and a3.

    Safety is p1 (1 - p2), the value (15/8 p2 + p3)/(1 - p1/100), increasing in p2 and p3.  With
    p3 = 0 safety (1 - p2)^2 >= 3/4 means p2 <= 1 - sqrt(3)/2 < 13398/100000, as 86602^2 =
    7499906404 < 7.5e9.  With p2 = 0 it means p3 <= 1/4.  Without a1 it is 0.
    """
    p2, p3 = Fraction(13398, 100000), Fraction(1, 4)
    assert (1 - p2) ** 2 < Fraction(3, 4)
    paid = Fraction(15, 8) * p2, p3
    kept = 1 - (1 - p2) / 100, 1 - (1 - p3) / 100
    pairs = [(format_rational(v), format_rational(k)) for v, k in zip(paid, kept, strict=True)]
    worth = max(v / k for v, k in zip(paid, kept, strict=True))
    return calculated(worth, ["max", *(["div", *pair] for pair in pairs)])


def one_shot(discount: Fraction, level: Fraction, window: int = 1) -> WindowProblem:
    """Unsafe in the first step or never; the risk p is the policy's to choose, H = gamma_c p.

    From the start, "risky" pays 1 and leads to the unsafe state, "careful" pays 0 and to the end;
    the unsafe state leads there too.  gamma_c is the discount of the reward as well.
    """
    rows: Rows = [[[0, 0, 1], [0, 1, 0]], [[0, 0, 1]], [[0, 0, 1]]]
    model = _model(rows, [[0, 1], [0], [0]], discount, 0)
    return WindowProblem(model, (1,), window, level)


def ce3(
    discount: Fraction = Fraction(9, 10), level: Fraction = _TENTH
) -> tuple[WindowProblem, Policy, Fraction]:
    """(problem, policy, gamma_c): one shot with H = gamma_c p <= alpha < p at T = 1.

    p = alpha (1 + 1/gamma_c)/2 is in (alpha, alpha/gamma_c], or 1 if that is less.
    """
    p = min(Fraction(1), level * (1 + 1 / discount) / 2)
    policy = Policy((1 - p, p, Fraction(1), Fraction(1)))
    return one_shot(discount, level), policy, discount


def always_unsafe(
    discount: Fraction = Fraction(9, 10),
) -> tuple[WindowProblem, Policy, Fraction]:
    """(problem, policy, gamma_c): unsafe from the first step on, so H = gamma_c/(1 - gamma_c)."""
    model = _model([[[0, 1]], [[0, 1]]], [[0], [0]], discount, 0)
    return WindowProblem(model, (1,), 1, _HALF), Policy((Fraction(1), Fraction(1))), discount


def corridor() -> tuple[WindowProblem, Policy, Policy, Fraction]:
    """(problem, left then left, right then right, 1/2): two steps, each policy safe.

    From the start, left and right lead to two states; in the left one only left is safe, in the
    right one only right.  One coin for each step is unsafe with probability 2 (1/4) = 1/2.
    """
    left, right, end, bad = range(1, 5)

    def to(state: int) -> list[Fraction | int]:
        return [int(t == state) for t in range(5)]

    rows: Rows = [
        [to(left), to(right)],
        [to(end), to(bad)],
        [to(bad), to(end)],
        [to(end)],
        [to(bad)],
    ]
    model = _model(rows, [[0, 0], [1, 0], [0, 1], [0], [0]], _HALF, 0)
    policies = [Policy.deterministic(model, [a, a, a, 0, 0]) for a in (0, 1)]
    return WindowProblem(model, (bad,), 2, Fraction(0)), policies[0], policies[1], _HALF


def for_ever() -> tuple[WindowProblem, Policy, Policy]:
    """(problem, new, old): unsafe for ever from the first step on, with probability t, else never.

    gamma = 9/10, t = 1/1000 (old: 1/10000), so H = t (9/10)/(1/10) = 9 t, and the level
    H_old + E_old[E_new c]/(1 - gamma) = 9/10000 + (1/1000 + 9/10000) = 28/10000 < 90/10000 = H_new.
    In the unsafe state the raw cost is 1, in the start, the one safe state with any, it is 1/1000.
    """
    rows: Rows = [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0]], [[0, 0, 1]]]
    model = _model(rows, [[0, 0], [0], [0]], Fraction(9, 10), 0)

    def acting(t: Fraction) -> Policy:
        return Policy((t, 1 - t, Fraction(1), Fraction(1)))

    problem = WindowProblem(model, (1,), 1, Fraction(0))
    return problem, acting(Fraction(1, 1000)), acting(Fraction(1, 10000))


def at_rest() -> tuple[WindowProblem, Policy, Policy]:
    """(problem, new, old): nothing changes, so that the divergence is 0 and H_new is gamma times
    H_old + E_old[E_new c] less the old policy's own H; unsafe from the first step on."""
    problem, acting, _ = always_unsafe()
    return problem, acting, acting


def late_risk() -> tuple[CMDP, tuple[int, ...], Policy, Policy]:
    """(model, unsafe states, new, old): the step's linearised cost is 0, the new one's positive.

    The start leads to b (old: with probability 1/2) or to the end.  In b, and in its unsafe twin,
    "risky" leads to the twin, "careful" to b; old is risky with probability beta = 1/2000, new with
    eta = 1/40000, and goes to b with t = eta/(2 beta) = 1/40 less.  Both improvements are counted
    in full, though the first makes the second smaller: J + L/(1 - gamma)
    = gamma (eta/2 - t beta)/(1 - gamma) = 0, and the new cost is gamma (1/2 - t) eta/(1 - gamma).
    """
    beta, eta, t = Fraction(1, 2000), Fraction(1, 40000), Fraction(1, 40)
    start, b, twin, end = range(4)

    def to(state: int) -> list[Fraction | int]:
        return [int(s == state) for s in range(4)]

    rows: Rows = [[to(b), to(end)], [to(twin), to(b)], [to(twin), to(b)], [to(end)]]
    model = _model(rows, [[0, 0], [0, 0], [0, 0], [0]], _HALF, start)

    def acting(go: Fraction, risky: Fraction) -> Policy:
        return Policy((go, 1 - go, risky, 1 - risky, risky, 1 - risky, Fraction(1)))

    return model, (twin,), acting(_HALF - t, eta), acting(_HALF, beta)
