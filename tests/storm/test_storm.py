"""holdfast and Storm, both in exact arithmetic, give the same rational number.

Models that stormpy ships are built by it from their PRISM sources, exported, read by holdfast with
a discount, solved, and written back with the discount as termination; Storm then answers the same
query on those files.  Its multi-objective checker is exact with its precision set to 0.  Storm's
own formula for discounted rewards exists in floating point only and is not used.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from holdfast.solvers import (
    CMDP,
    Status,
    enclose,
    policy_iteration,
    read_prism,
    solve,
    value_of,
    write_prism,
)

pytest.importorskip(
    "stormpy", minversion="2.0", reason="stormpy 2 is not installed: pip install 'holdfast[peers]'"
)

TOTAL = 'R{"reward"}%s=? [C]'

# Model, constants, states, discount, objective.
TOTALS = {
    "two dice": ("two_dice.nm", "", 169, "9/10", "coinflips"),
    "a die with choices": ("die_selection.nm", "", 13, "19/20", "coin_flips"),
    "leader election": ("leader3.nm", "", 364, "9/10", "to-elected"),
    "consensus, K=2": ("coin2-2.nm", "", 272, "9/10", "to-agree"),
    "CSMA/CD": ("csma2-2.nm", "", 1038, "9/10", "time"),
    "a slippery grid": ("slipgrid.nm", "", 16, "9/10", "to-target"),
    "a maze": ("maze_2_multigoal.nm", "", 15, "99/100", "reward"),
}

# Model, constants, discount, objective, {cost: budget}; every budget below binds.
CONSTRAINED = {
    "consensus, K=2": ("coin2-2.nm", "", "9/10", "to-all_coins_equal_0", {"to-agree": "10/7"}),
    "consensus, K=2, two costs": (
        "coin2-2.nm",
        "",
        "9/10",
        "to-all_coins_equal_0",
        {"to-agree": "10/7", "to-finished": "9/200"},
    ),
    "consensus, K=4": ("coin2.nm", "K=4", "9/10", "to-agree", {"to-all_coins_equal_0": "1/2"}),
    "CSMA/CD, deliver": (
        "csma2-2.nm",
        "",
        "19/20",
        "to-all_delivered",
        {"to-collision_max_backoff": "5/97"},
    ),
    "CSMA/CD, wait": ("csma2-2.nm", "", "19/20", "time", {"to-one_delivered": "52/933"}),
    "a die with choices": (
        "die_selection.nm",
        "",
        "9/10",
        "coin_flips",
        {"to-one": "53/399", "to-six": "11/256"},
    ),
    "a maze": ("maze_2_multigoal.nm", "", "19/20", "to-goalalt2", {"reward": "15/2"}),
}

# Model, states, discount, label; the label's states are never left.
REACHED = {
    "two dice": ("two_dice.nm", "19/20", "seven"),
    "leader election": ("leader3.nm", "9/10", "elected"),
    "consensus": ("coin2-2.nm", "99/100", "finished"),
    "CSMA/CD": ("csma2-2.nm", "9/10", "all_delivered"),
    "a die with choices": ("die_selection.nm", "1/2", "six"),
}


def as_files(model: CMDP, folder: Path) -> Path:
    """The stem of the model's files with the discount as termination."""
    return write_prism(model, folder / "sink.tra", discount="sink")[0].with_suffix("")


@pytest.mark.parametrize("case", TOTALS)
def test_total_rewards_agree(case: str, export, ask, tmp_path: Path) -> None:
    file, constants, states, discount, objective = TOTALS[case]
    exported = export(file, constants)
    assert exported.n_states == states
    model = read_prism(exported.tra, rewards=exported.structure(objective), discount=discount)
    stem = as_files(model, tmp_path)
    value = solve(model).value
    assert value is not None and value > 0
    assert ask(stem, TOTAL % "max") == value
    least = value_of(model, policy_iteration(model, maximise=False).values)
    assert ask(stem, TOTAL % "min") == least


@pytest.mark.parametrize("case", CONSTRAINED)
def test_constrained_queries_agree(case: str, export, ask, tmp_path: Path) -> None:
    file, constants, discount, objective, limits = CONSTRAINED[case]
    exported = export(file, constants)
    model = read_prism(
        exported.tra,
        rewards=exported.structure(objective),
        costs=[exported.structure(name) for name in limits],
        budgets=list(limits.values()),
        discount=discount,
    )
    found = solve(model)
    assert found.value is not None
    assert all(multiplier > 0 for multiplier in found.multipliers), "a budget does not bind"
    assert found.n_randomisations == len(limits)
    bounds = [f'R{{"cost{i + 1}"}}<={d} [C]' for i, d in enumerate(limits.values())]
    query = f"multi({', '.join([TOTAL % 'max', *bounds])})"
    assert ask(as_files(model, tmp_path), query, costs=len(limits)) == found.value


@pytest.mark.parametrize("case", REACHED)
def test_reachability_is_a_total_reward(case: str, export, ask, tmp_path: Path) -> None:
    """E gamma^T for the time T of arrival: 1 at the step before, discounted once less."""
    file, discount, label = REACHED[case]
    exported = export(file)
    model = read_prism(exported.tra, rewards=exported.structure(f"to-{label}"), discount=discount)
    inside = set(model.label(label))
    staying = [k for k, s in enumerate(model.choice_states.tolist()) if s in inside]
    assert all(t in inside for k in staying for t, _ in model.transition_row(k))
    stem = as_files(model, tmp_path)
    value = solve(model).value
    assert value is not None and value > 0
    assert ask(stem, f'Pmax=? [F "{label}"]') == Fraction(discount) * value


def test_what_is_infeasible_and_by_how_much(export, ask, tmp_path: Path) -> None:
    """Big numbers end in .0 for Storm, which reads them exactly and integers as 64 bits."""
    exported = export("die_selection.nm")
    model = read_prism(
        exported.tra,
        rewards=exported.structure("coin_flips"),
        costs=[exported.structure("to-done")],
        budgets=["2/5"],
        discount="9/10",
    )
    found = solve(model)
    assert found.status is Status.INFEASIBLE and found.relaxation is not None
    stem = as_files(model, tmp_path)
    query = 'multi(R{"reward"}max=? [C], R{"cost1"}<=%d.0/%d.0 [C])'
    assert ask(stem, query % (2, 5), costs=1) is False
    least = Fraction(2, 5) + found.relaxation
    assert (
        ask(stem, query % least.as_integer_ratio(), costs=1)
        == solve(model.with_budgets(least)).value
    )
    below = least - Fraction(1, 10**15)
    assert ask(stem, query % below.as_integer_ratio(), costs=1) is False


def test_an_enclosure_of_a_larger_model(export, ask, tmp_path: Path) -> None:
    """FireWire root contention, 4093 states: too many for an exact answer in a short time."""
    exported = export("firewire.nm", "delay=3,fast=1/2")
    assert exported.n_states == 4093
    model = read_prism(
        exported.tra,
        rewards=exported.structure("time_sending"),
        costs=[exported.structure("to-elected")],
        budgets=["1/10"],
        discount="99/100",
    )
    found = enclose(model)
    assert found.multipliers[0] > 0
    assert found.lower is not None and found.upper is not None
    query = f'multi({TOTAL % "max"}, R{{"cost1"}}<=1/10 [C])'
    exact = ask(as_files(model, tmp_path), query, costs=1)
    assert found.lower <= exact <= found.upper
    assert found.upper - found.lower < Fraction(1, 10**6)


def test_our_reading_of_drn_is_storm_s(tmp_path: Path) -> None:
    """Transitions and rewards of a hand-written file, entry by entry."""
    import stormpy

    from holdfast.solvers.models.formats.prism import read_drn

    from ..solvers.models.test_storm_files import DRN

    path = tmp_path / "m.drn"
    path.write_text(DRN)
    theirs, ours = (
        stormpy.build_model_from_drn(str(path)),
        read_drn(path, reward="fuel", discount=0),
    )
    rows = [
        {entry.column: entry.value for entry in theirs.transition_matrix.get_row(k)}
        for k in range(theirs.nr_choices)
    ]
    assert [{t: float(p) for t, p in ours.transition_row(k)} for k in range(4)] == rows
    paid = theirs.reward_models["fuel"]
    expected = [
        paid.get_state_reward(state) + paid.get_state_action_reward(k)
        for k, state in enumerate((0, 0, 1, 2))
    ]
    assert ours.reward_vector().floats().tolist() == expected
