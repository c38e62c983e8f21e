"""Nothing rests on floats: near ties, steep slopes, huge numbers, and the proposal sabotaged."""

from __future__ import annotations

import warnings
from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import WORLDS, ModelError, from_arrays
from holdfast.solvers.chance import (
    ChanceProblem,
    evaluate_policy,
    frontier,
    minimum_risk,
    solve,
    solve_by_flag_program,
)
from holdfast.solvers.chance.horizon import dynamics as dynamics_module
from holdfast.solvers.chance.horizon import flag_program
from holdfast.solvers.chance.horizon.candidates import Candidates, optimal_choices
from holdfast.solvers.chance.horizon.dynamics import Dynamics
from holdfast.solvers.chance.horizon.floats import FloatDynamics
from holdfast.solvers.chance.horizon.induction import Induction, start_value


def by_program(problem: ChanceProblem, level: Fraction) -> Fraction | None:
    with warnings.catch_warnings():  # its own scaling may overflow on such numbers
        warnings.simplefilter("ignore", RuntimeWarning)
        return solve_by_flag_program(problem, level).value


@pytest.mark.parametrize("digits", [12, 17, 40])
def test_differences_below_the_precision_of_floats_decide(digits):
    """Waiting pays 10^-digits if done right; the risky choices differ by as little."""
    tiny, half = Fraction(1, 10**digits), Fraction(1, 2)
    rows = [[1, 0], [1, 0], [half, half], [half - tiny, half + tiny]]
    model = from_arrays(
        [rows, [[0, 1]] * 4], [[0, tiny, 2, 2 + tiny], [0] * 4], discount=1, initial=[1, 0]
    )
    problem = ChanceProblem(model, [1], 3)
    for level in (0, Fraction(1, 3), half, half + tiny):
        assert solve(problem, level).value == by_program(problem, level)
    assert solve(problem, 0).value == 3 * tiny


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("digits", [100, 300, 309, 330, 400])
def test_risks_as_small_as_you_like_have_slopes_beyond_all_floats(digits):
    tiny, half = Fraction(1, 10**digits), Fraction(1, 2)
    rows = [[1, 0], [1 - tiny, tiny], [half, half]]
    model = from_arrays([rows, [[0, 1]] * 3], [[0, 1, 2], [0] * 3], discount=1, initial=[1, 0])
    problem = ChanceProblem(model, [1], 3)
    found = frontier(problem)
    # Three risky decisions of hazard tiny, then three of hazard 1/2.
    assert found.kinks[0] == (0, 0)
    assert (1 - (1 - tiny) ** 3, 3 - (tiny + (1 - (1 - tiny) ** 2))) in found.kinks
    for level in (tiny / 2, 2 * tiny, Fraction(1, 3)):
        assert solve(problem, level).value == found.value_at(level) == by_program(problem, level)


def test_probabilities_may_be_subnormal():
    """0 may risk 10^-322 for 10^-14 (slope 10^308), 1 may risk 7.2 10^-324 for 6 10^-16 (slope
    8.3 10^307); the nearest double of the second risk is 4.9 10^-324, as if it were worth more.
    """
    one, two = Fraction(1, 10**322), Fraction(72, 10**325)
    law = [
        [[1, 0, 0, 0], [1 - one, 0, 0, one]],
        [[0, 1, 0, 0], [0, 1 - two, 0, two]],
        [[0, 0, 1, 0]] * 2,
        [[0, 0, 0, 1]] * 2,
    ]
    small, smaller = Fraction(1, 10**14), Fraction(6, 10**16)
    reward = [[0, small], [0, smaller], [1, 1], [0, 0]]
    start = [Fraction(1, 3)] * 3 + [0]
    problem = ChanceProblem(from_arrays(law, reward, discount=1, initial=start), [3], 1)
    solution = solve(problem, one / 6)
    assert solution.value == (1 + small / 2) / 3
    assert solve(problem, one / 3 + two / 6).value == (1 + small + smaller / 2) / 3


def test_rewards_as_large_as_you_like(three_states):
    """Scaling the reward scales the optimum."""
    model, factor = three_states(), 10**400
    scaled = model.with_reward([v * factor for v in model.reward_vector().fractions()])
    assert solve(ChanceProblem(scaled, [2], 3), "1/4").value == Fraction(2419, 400) * factor


@pytest.mark.parametrize("seed", range(40))
def test_the_screen_keeps_every_optimal_choice(random_problem, seed):
    """Against the exact induction over all choices in all cells."""
    problem = random_problem(seed)
    dynamics = Dynamics.of(problem)
    every = np.arange(dynamics.levels * dynamics.model.n_choices)
    everything = Candidates((every,) * dynamics.horizon, np.zeros(0))
    for multiplier in (Fraction(0), Fraction(3, 7), Fraction(10, 3), Fraction(1000)):
        screened = optimal_choices(FloatDynamics.of(dynamics), multiplier)
        ends = []
        for candidates in (screened, everything):
            *_, last = Induction(dynamics, candidates, multiplier).layers()
            ends.append(start_value(dynamics, last))
        assert ends[0] == ends[1]


def test_errors_of_floats_are_within_their_bound():
    """The float scores of the grid against exact ones, in every cell of every layer."""
    world = WORLDS["two-discs"]
    model = world.build()
    dynamics = Dynamics.of(ChanceProblem(model, model.label("unsafe"), 6))
    floats, multiplier = FloatDynamics.of(dynamics), Fraction(619, 7)
    candidates = optimal_choices(floats, multiplier, everywhere=True)
    induction = Induction(dynamics, candidates, multiplier)
    pairs = zip(
        floats.backward(floats.price(multiplier), bounded=True), induction.layers(), strict=True
    )
    for layer, exact in pairs:
        errors = np.maximum.reduceat(layer.errors, model.choice_start[:-1], axis=1).ravel()
        parts = zip(
            layer.best.ravel().tolist(),
            errors.tolist(),
            exact.packing.values(exact.packed).tolist(),
            exact.packing.risks(exact.packed).tolist(),
            strict=True,
        )
        for best, error, value, risk in parts:
            truth = Fraction(value, exact.value_scale) - multiplier * Fraction(
                risk, exact.risk_scale
            )
            assert abs(Fraction(best) - truth / floats.unit) <= Fraction(error)
        assert errors.max() < 1e-11


@pytest.mark.parametrize("sabotage", ["worst", "level ignored"])
def test_bad_proposals_cost_time_and_nothing_else(three_states, monkeypatch, sabotage):
    """The float chord returns nonsense, the exact chord goes on from there."""

    def bracket(self, budget, least):
        worst = self.greedy(-50.0)
        return (worst, worst, 0) if sabotage == "worst" else (worst, least, 0)

    monkeypatch.setattr(FloatDynamics, "bracket", bracket)
    problem = ChanceProblem(three_states(), [2], 3)
    found = [solve(problem, level).value for level in ("0", "1/10", "1/4", "2/5")]
    assert found == [Fraction(v) for v in ("57/25", "191/50", "2419/400", "403/50")]
    assert solve(problem, "99/100").multiplier == 0


def test_choices_that_repeat_another_are_dropped(three_states):
    model = three_states()
    row = [[Fraction(w, 10) for w in r] for r in ([4, 4, 2], [6, 4, 0], [4, 4, 2])]
    others = [[[0, 0, 1]] * 3] * 2
    model = from_arrays([row, *others], [[3, 1, 3], [0] * 3, [0] * 3], discount=1)
    dynamics = Dynamics.of(ChanceProblem(model, [2], 2))
    assert dynamics.distinct.tolist() == [True, True, False] + [True, False, False] * 2


def test_the_least_risk_is_exact():
    """Each way has its hazard; the least is 1 - (1 - 1/10^20)^2, far below what floats add to 1."""
    tiny = Fraction(1, 10**20)
    rows = [[1 - tiny, tiny], [1 - 2 * tiny, 2 * tiny]]
    model = from_arrays([rows, [[0, 1]] * 2], [[0, 1], [0, 0]], discount=1, initial=[1, 0])
    safest = minimum_risk(ChanceProblem(model, [1], 2))
    assert safest.risk == 1 - (1 - tiny) ** 2
    assert evaluate_policy(ChanceProblem(model, [1], 2), safest.choices)[1] == safest.risk
    below = solve(ChanceProblem(model, [1], 2), safest.risk - tiny**3)
    assert (below.value, below.minimum_risk) == (None, safest.risk)
    assert solve(ChanceProblem(model, [1], 2), safest.risk).value == 0


@pytest.mark.parametrize("parts", range(3, 13))
def test_the_least_risk_survives_rounding(parts):
    """1/10 at once, or a little less in equal parts whose floats may add up to more."""
    share = Fraction(1, 10) * (1 - Fraction(1, 10**18)) / parts
    direct = [Fraction(9, 10), Fraction(1, 10), *[0] * (parts - 1)]
    spread = [1 - parts * share, *[share] * parts]
    others = [[[int(s == t) for t in range(parts + 1)]] * 2 for s in range(1, parts + 1)]
    reward = [[0, 0]] * (parts + 1)
    start = [1] + [0] * parts
    model = from_arrays([[direct, spread], *others], reward, discount=1, initial=start)
    safest = minimum_risk(ChanceProblem(model, range(1, parts + 1), 3))
    assert safest.risk == 1 - (1 - parts * share) ** 3


def test_numbers_too_long_are_refused(three_states, monkeypatch):
    monkeypatch.setattr(dynamics_module, "LONGEST", 5)
    with pytest.raises(ModelError, match=r"denominator of \d+ bits, more than 5: .*limit_denom"):
        solve(ChanceProblem(three_states(), [2], 3), "1/10")


def test_flag_programs_too_large_name_the_chord(three_states):
    problem = ChanceProblem(three_states(), [2], 600)
    with pytest.raises(ModelError, match=r"has \d{4} rows .* 2500 .* solvers\.chance\.solve"):
        solve_by_flag_program(problem, "1/10")
    assert flag_program.LARGEST == 2500


def test_statistics_tell_what_was_done(three_states):
    problem = ChanceProblem(three_states(), [2], 3)
    chord = solve(problem, "1/4").statistics
    assert chord["method"] == "chord over exact backward induction"
    assert chord["exact rounds"] == chord["exact passes"] == 1
    assert chord["cells decided exactly"] > 0
    assert chord["denominator bits"] == 5  # both kinks are over 25
    assert set(chord["seconds"]) >= {"float induction", "screening", "exact induction"}
    program = solve_by_flag_program(problem, "1/4").statistics
    assert program["method"].startswith("flag program; exact linear program, ")
    # Times 0, 1, 2 have 1, 3 and 5 cells that some policy reaches; and the risk.
    assert program["rows"] == 10
