"""Storm's explicit files and DRN: read as Storm reads them; every kind of broken input."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from holdfast.solvers import CMDP, ModelError, read_prism, solve
from holdfast.solvers.models.formats.prism import read_drn

# State 0 goes (1 with 7/10, 2 with 3/10) or waits; state 1 leaves for 2 with 1/2; state 2 stays.
TRA = "mdp\n0 0 1 0.7\n0 0 2 0.3\n0 1 0 1\n1 0 0 0.5\n1 0 2 0.5\n2 0 2 1\n"
LAB = "#DECLARATION\ninit bad\n#END\n0 init\n2 bad\n"
SREW = "0 1\n1 4\n"
DRN = """// Exported by storm
@type: MDP
@parameters

@reward_models
gain fuel
@nr_states
3
@nr_choices
4
@model
state 0 [1, 0] init
//[x=0]
\taction go [0, 1/2]
\t\t1 : 0.7
\t\t2 : 0.3
\taction wait
\t\t0 : 1
state 1 [4, 1]
\taction go
\t\t0 : 0.5
\t\t2 : 0.5
state 2 bad
\taction __NOLABEL__
\t\t2 : 1
"""


def explicit(folder: Path, **changed: str) -> Path:
    for suffix, text in {"tra": TRA, "lab": LAB, "srew": SREW, **changed}.items():
        (folder / f"m.{suffix}").write_text(text)
    return folder / "m.tra"


def drn(folder: Path, text: str = DRN) -> Path:
    (folder / "m.drn").write_text(text)
    return folder / "m.drn"


def read(path: Path, **options: object) -> CMDP:
    return read_drn(path, **{"reward": "gain", "discount": "9/10", **options})


def test_explicit_files_of_storm(tmp_path: Path) -> None:
    """To wait for ever earns 1/(1 - 9/10) = 10; to go earns 1 + 9/10 * 7/10 V(1), with V(1) = 4 +
    9/20 V(0): 1 + 2.52 + .2835 V(0) = 4.9..., less."""
    model = read_prism(explicit(tmp_path), discount="9/10")
    assert solve(model).value == 10
    assert dict(model.labels)["bad"] == (2,)


def test_a_chain_of_storm(tmp_path: Path) -> None:
    """V(0) = 1 + 9/20 (V(0) + V(1)), V(1) = 0: 20/11."""
    path = explicit(tmp_path, tra="dtmc\n0 0 0.5\n0 1 0.5\n1 1 1\n", lab=LAB.replace("2 bad", ""))
    (tmp_path / "m.srew").write_text("0 1\n")
    assert solve(read_prism(path, discount="9/10")).value == Fraction(20, 11)


def test_transition_rewards_of_storm(tmp_path: Path) -> None:
    """3 for going and arriving in 1: 7/10 of it."""
    explicit(tmp_path)
    (tmp_path / "m.srew").unlink()
    (tmp_path / "m.trew").write_text("0 0 1 3\n")
    model = read_prism(tmp_path / "m.tra", discount="0")
    assert solve(model).value == Fraction(21, 10)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tra": TRA.replace("mdp", "ctmc")}, "line 1: the type is 'ctmc'"),
        ({"tra": "mdp\n"}, "no transition below the type"),
        ({"tra": TRA + "2 0 999999999 0\n"}, "more than 1000000 deadlock states"),
        ({"tra": TRA.replace("0 1 0 1", "0 2 0 1")}, "has choice 2 but no choice 1"),
        ({"lab": "#DECLARATION\ninit\n"}, "#DECLARATION is not followed by #END"),
        ({"lab": LAB + "1 good\n"}, "label 'good' is not declared; there are init, bad"),
        ({"lab": LAB + "3 bad\n"}, "the state is 3; the model has states 0 .. 2"),
        ({"lab": LAB.replace("0 init", "")}, "no state of m.tra is labelled init"),
        ({"srew": "0 1\n0 2\n"}, "state 0 is listed twice"),
        ({"srew": "0 1 1\n"}, "the row has 3 fields"),
    ],
)
def test_broken_explicit_files(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        read_prism(explicit(tmp_path, **changed), discount="9/10")


def test_drn(tmp_path: Path) -> None:
    model = read(drn(tmp_path))
    assert (model.n_states, model.n_choices) == (3, 4)
    assert solve(model).value == 10
    assert "reward models that were not read: fuel" in model.notes
    assert dict(model.labels) == {"bad": (2,)}


def test_reward_models_of_a_drn_are_objective_and_cost(tmp_path: Path) -> None:
    """Fuel 1/2 for going from 0 and 1 in state 1: to wait costs none, and earns 10."""
    model = read(drn(tmp_path), costs=["fuel"], budgets=["1"])
    assert model.cost_vector(0).fractions() == (Fraction(1, 2), 0, 1, 0)
    assert model.reward_vector().fractions() == (1, 1, 4, 0)
    found = solve(model)
    assert (found.value, found.multipliers) == (10, (0,))


def test_the_same_model_both_ways(tmp_path: Path) -> None:
    one, other = read_prism(explicit(tmp_path), discount="9/10"), read(drn(tmp_path))
    assert [one.transition_row(k) for k in range(4)] == [other.transition_row(k) for k in range(4)]
    assert one.reward_vector() == other.reward_vector()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("@type: MDP", "@type: POMDP", "line 2: the file holds a POMDP"),
        ("@parameters\n", "@parameters\np q\n", "the model has the parameters p q"),
        ("1 : 0.7", "1 : p", "the probability .parameters are not read. is 'p'"),
        ("1 : 0.7", "1 : 0.6", "choice 0 of state 0 sum to 9/10"),
        ("1 : 0.7", "2 : 0.7", "the successor 2 stands twice"),
        ("1 : 0.7", "9 : 0.7", "the state is 9; the model has states 0 .. 2"),
        ("1 : 0.7", "1 0.7", "a transition is 'successor : probability'"),
        ("1 : 0.7", "1 : -0.7", "must not be negative"),
        ("state 1 [4, 1]", "state 2 [4, 1]", "state 2 follows state 0"),
        ("state 1 [4, 1]", "state 1 [4]", "there are 1 rewards and 2 reward models"),
        ("state 1 [4, 1]", "state 1 {3} [4, 1]", "observations and rates are not read"),
        ("state 1 [4, 1]", "state 1 !3 [4, 1]", "observations and rates are not read"),
        (" init", "", "no state of m.drn is labelled init"),
        ("state 2 bad\n\taction __NOLABEL__\n\t\t2 : 1\n", "", "has 2 of 3 states"),
        ("\taction __NOLABEL__\n\t\t2 : 1\n", "", "state 2 has no choice"),
        (DRN, "hello\n", "cannot read 'hello' below nothing"),
        (DRN, "", "has 0 of 0 states and the type nothing"),
        ("@type: MDP", "@type: DTMC", "a state of it has more than one action"),
    ],
)
def test_broken_drn(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        read(drn(tmp_path, DRN.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"reward": None}, "has the reward models gain, fuel; say which one is the objective"),
        ({"reward": "loss"}, "has no reward model 'loss'; there are gain, fuel"),
        ({"costs": ["fuel"]}, r"1 cost\(s\) and 0 budget\(s\)"),
    ],
)
def test_reward_models_that_are_not_there(
    tmp_path: Path, options: dict[str, object], said: str
) -> None:
    with pytest.raises(ModelError, match=said):
        read(drn(tmp_path), **options)
