"""PRISM's explicit-state files: what is read, and every kind of broken input."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from holdfast.solvers import CMDP, ModelError, read_prism, solve

# Three states; state 0 waits (to itself) or goes, state 2 loops.
TRA = """# Transitions (MDP)
3 4 6
0 0 0 1 wait
0 1 1 1/3 go
0 1 2 2/3 go

1 0 0 0.25 wait
1 0 2 7.5e-1 wait
2 0 2 1 wait
"""
LAB = """# Labels
0="init" 1="deadlock" 2="goal" 3="unsafe"
0: 0
1: 0 3
2: 2 3
"""
SREW = """# Reward structure "gain"
# State rewards
3 2
1 5
2 .5
"""
TREW = """# Reward structure "gain"
# Transition rewards
3 4 2
0 1 1 6
0 1 2 -1
"""
COST = "3 4 1\n0 0 0 2\n"
CHAIN = "3 4\n0 1 0.5 a\n0 2 0.5\n1 1 1\n2 2 1\n"


def files(folder: Path, **changed: str | None) -> Path:
    """The files above, some replaced or (None) left out; returns model.tra."""
    texts = {"tra": TRA, "lab": LAB, "srew": SREW, "trew": TREW, "cost1.trew": COST}
    texts |= {name.replace("cost_", "cost1."): text for name, text in changed.items()}  # type: ignore[dict-item]
    for suffix, text in texts.items():
        if text is not None:
            (folder / f"model.{suffix}").write_text(text)
    return folder / "model.tra"


def rows(model: CMDP) -> list[list[tuple[int, Fraction]]]:
    return [model.transition_row(k) for k in range(model.n_choices)]


# -- reading ---------------------------------------------------------------------------------------
def test_an_mdp_is_read_exactly(tmp_path: Path) -> None:
    model = read_prism(files(tmp_path), budgets=["3/2"], discount="9/10")
    third = Fraction(1, 3)
    assert rows(model) == [
        [(0, 1)],
        [(1, third), (2, 2 * third)],
        [(0, Fraction(1, 4)), (2, Fraction(3, 4))],
        [(2, 1)],
    ]
    # r(0, go) = 6/3 - 2/3 = 4/3; states 1 and 2 earn 5 and 1/2 whatever is done there.
    assert model.reward_vector().fractions() == (0, Fraction(4, 3), 5, Fraction(1, 2))
    assert model.cost_vector(0).fractions() == (2, 0, 0, 0)
    assert (model.budgets, model.discount) == ((Fraction(3, 2),), Fraction(9, 10))
    assert model.initial_vector().fractions() == (Fraction(1, 2), Fraction(1, 2), 0)
    assert model.labels == (("goal", (2,)), ("unsafe", (1, 2)))
    assert model.label("unsafe") == (1, 2)
    assert model.actions.tolist() == [1, 0, 1, 1]
    assert model.notes == (
        "PRISM explicit files model.tra, model.srew, model.trew, model.cost1.trew",
        "actions: 0 go, 1 wait",
    )


def test_the_value_of_a_file(tmp_path: Path) -> None:
    # From 0 with gamma = 1/2: V(2) = 1/2 / (1 - 1/2) = 1, V(1) = 5 + (V(0)/4 + 3/4)/2 and
    # V(0) = 4/3 + (V(1)/3 + 2/3)/2 = 5/3 + V(1)/6, so V(1) = 43/8 + V(0)/8 and
    # V(0) (1 - 1/48) = 5/3 + 43/48 = 123/48, V(0) = 123/47, V(1) = 43/8 + 123/376 = 268/47.
    model = read_prism(files(tmp_path), discount="1/2")
    assert solve(model).value == Fraction(123 + 268, 2 * 47)


def test_a_markov_chain_has_one_choice_a_state(tmp_path: Path) -> None:
    rewards = {"srew": "3 1\n0 1\n", "trew": "3 1\n0 2 8\n", "cost_trew": None}
    model = read_prism(files(tmp_path, tra=CHAIN, **rewards), discount="1/2")
    half = Fraction(1, 2)
    assert rows(model) == [[(1, half), (2, half)], [(1, 1)], [(2, 1)]]
    assert model.reward_vector().fractions() == (1 + 8 * half, 0, 0)
    assert model.n_constraints == 0


def test_structures_are_files_stems_or_sums(tmp_path: Path) -> None:
    path = files(tmp_path)
    state, moves = tmp_path / "model.srew", tmp_path / "model.trew"

    def reward(structure: object) -> tuple[Fraction, ...]:
        model = read_prism(path, rewards=structure, discount=0)  # type: ignore[arg-type]
        return model.reward_vector().fractions()

    assert reward(state) == (0, 0, 5, Fraction(1, 2))
    assert reward([state, moves]) == reward(tmp_path / "model") == reward(None)
    assert reward([state, state]) == (0, 0, 10, 1)
    assert reward(()) == (0, 0, 0, 0)
    twice = read_prism(path, costs=[state, moves], budgets=[1, 2], discount=0)
    assert twice.cost_vector(0)[2] == 5 and twice.cost_vector(1)[1] == Fraction(4, 3)


def test_decimals_that_nearly_sum_to_one_are_made_to(tmp_path: Path) -> None:
    rounded = TRA.replace("1/3", "0.333333").replace("2/3", "0.666666")
    model = read_prism(files(tmp_path, tra=rounded), discount="1/2")
    assert rows(model)[1] == [(1, Fraction(1, 3)), (2, Fraction(2, 3))]
    assert (
        "1 probability row(s) of decimals re-normalised exactly (farthest from 1: 1e-06)"
        in model.notes
    )


def test_zero_probabilities_are_left_out(tmp_path: Path) -> None:
    padded = TRA.replace("3 4 6", "3 4 7") + "2 0 0 0 wait\n"
    assert rows(read_prism(files(tmp_path, tra=padded), discount=0))[3] == [(2, 1)]


def test_deadlocks_get_a_loop_only_when_labelled(tmp_path: Path) -> None:
    dead = {
        "tra": TRA.replace("3 4 6", "3 3 5").replace("2 0 2 1 wait\n", ""),
        "trew": TREW.replace("3 4 2", "3 3 2"),
        "cost_trew": None,
    }
    labelled = files(tmp_path, **dead, lab=LAB + "2: 1\n")
    model = read_prism(labelled, discount="1/2")
    assert rows(model)[3] == [(2, 1)]
    assert model.reward_vector()[3] == Fraction(1, 2)
    assert model.label("deadlock") == (2,)
    assert "1 deadlock state(s) got a self-loop" in model.notes
    with pytest.raises(ModelError, match=r"model\.tra: state 2 has no choice; add a self-loop"):
        read_prism(files(tmp_path, **dead), discount="1/2")


def test_without_labels_state_0_is_initial(tmp_path: Path) -> None:
    model = read_prism(files(tmp_path, lab=None), discount="1/2")
    assert model.initial_vector().fractions() == (1, 0, 0)
    assert model.labels == ()
    assert "no model.lab: state 0 is the initial one" in model.notes


@pytest.mark.parametrize(
    ("changes", "actions"),
    [
        ({"wait": "a3", "go": "a-7"}, [3, -7, 3, 3]),
        ({" wait": ""}, [0, 1, 0, 0]),
        ({"go": "wait"}, [0, 1, 0, 0]),
    ],
    ids=["numbered", "some without a name", "one name twice"],
)
def test_actions_are_numbers_names_or_positions(tmp_path: Path, changes, actions) -> None:
    text = TRA
    for old, new in changes.items():
        text = text.replace(old, new)
    assert read_prism(files(tmp_path, tra=text), discount=0).actions.tolist() == actions


# -- broken input ----------------------------------------------------------------------------------
BROKEN_TRANSITIONS = {
    "empty": ("", r"model\.tra is empty; its first line must be"),
    "POMDP": ("3 4 6 2\n", r"line 1: the header is '3 4 6 2'; it must be \"states choices"),
    "another type": ("ctmc\n0 0 0 1\n", r"line 1: the type is 'ctmc'; of Storm's files those of"),
    "no state": ("0 0 0\n", r"line 1: the header promises no state"),
    "missing": (
        TRA.replace("1 0 0 0.25 wait\n", ""),
        r"line 2: the header promises 6 transitions and the file has 5: 1 missing",
    ),
    "too many": (TRA + "2 1 2 1 on\n", r"promises 6 transitions and the file has 7: 1 too many"),
    "other choices": (TRA.replace("3 4 6", "3 5 6"), r"promises 5 choices and the file has 4"),
    "twice": (
        TRA.replace("0 1 2 2/3", "0 1 1 2/3"),
        r"line 5: the transition 0 -> 1 of choice 1 is listed twice",
    ),
    "sum of fractions": (
        TRA.replace("2/3", "1/3"),
        r"line 4: the probabilities of choice 1 of state 0 sum to 2/3, not exactly to 1",
    ),
    "sum of decimals": (
        TRA.replace("0.25", "0.2501"),
        r"line 7: .* choice 0 of state 1 sum to 10001/10000, farther than 1e-5 from 1",
    ),
    "negative": (TRA.replace("1/3", "-1/3"), r"line 4: the probability is -1/3; it must not be"),
    "state": (TRA.replace("1 0 2 7.5", "9 0 2 7.5"), r"line 8: the state is 9; .* states 0 \.\. 2"),
    "successor": (TRA.replace("0 1 2 2/3", "0 1 3 2/3"), r"line 5: the successor is 3; .* 0 \.\."),
    "gap": (
        TRA.replace("0 1 1 1/3", "0 2 1 1/3").replace("0 1 2 2/3", "0 2 2 2/3"),
        r"line 4: state 0 has choice 2 but no choice 1; number the choices",
    ),
    "short": (TRA.replace("0 0 0 1 wait", "0 0 0"), r"line 3: the row has 3 fields; it must be"),
    "rows": ("3 4 6\n0 1:0 wait\n", r"line 2: .*\(rows of probability:successor are not read"),
    "no number": (TRA.replace("1/3", "third"), r"line 4: the probability is 'third', not a rat"),
    "interval": (TRA.replace("1/3", "[0.2,0.4]"), r"line 4: the probability is '\[0\.2,0\.4\]'"),
    "huge exponent": (TRA.replace("1/3", "1e999999999"), r"the probability is '1e999999999'"),
    "division by zero": (TRA.replace("1/3", "1/0"), r"line 4: the probability is '1/0', not a"),
    "no integer": (TRA.replace("0 1 1", "0 x 1"), r"line 4: the choice is 'x'; it must be an int"),
    "two actions": (
        TRA.replace("2/3 go", "2/3 run"),
        r"line 5: choice 1 of state 0 is named 'run' here and 'go' on line 4",
    ),
    "rates": (CHAIN.replace("0.5", "2.5"), r"line 2: .* sum to 5, .* \(rates of a CTMC"),
}
BROKEN_LABELS = {
    "empty": ("# Labels\n", r"model\.lab is empty"),
    "undeclared": (LAB + "0: 7\n", r"line 6: label 7 is not declared; there are 0 \(init\), 1"),
    "state": (LAB + "3: 1\n", r"line 6: the state is 3; the model has states 0 \.\. 2"),
    "row": (LAB + "0 1\n", r"line 6: the row is '0 1'; it must be 'state: index"),
    "declaration": ("init deadlock\n", r"line 1: cannot read 'init deadlock'; the first line"),
    "name twice": ('0="init" 1="init"\n', r'line 1: label 1="init" repeats'),
    "no start": ('0="init" 1="goal"\n1: 1\n', r"no state of model\.tra is labelled init"),
    "not text": ("\udcff", "model.lab is not text"),
}
BROKEN_REWARDS = {
    "srew": {
        "other model": ("4 1\n1 5\n", r"srew, line 1: the header is for .* 4 states; .* 3 states"),
        "header": ("3\n", r"model\.srew, line 1: the header is '3'; it must be \"states nonzero\""),
        "count": ("3 2\n1 5\n", r"line 1: the header promises 2 rewards and the file has 1: 1 mis"),
        "row": ("3 1\n1 5 6\n", r"line 2: the row has 3 fields; it must be 'state reward'"),
        "twice": ("3 2\n1 5\n1 6\n", r"line 3: state 1 is listed twice"),
    },
    "trew": {
        "other model": ("3 5 0\n", r"for a model with 3 states, 5 choices; .* 3 states, 4 choices"),
        "no transition": (
            "3 4 1\n0 0 1 5\n",
            r"line 2: a reward for 0 -> 1 of choice 0, which is no transition of model\.tra",
        ),
        "no choice": ("3 4 1\n0 7 1 5\n", r"line 2: a reward for 0 -> 1 of choice 7, which is no"),
        "twice": ("3 4 2\n0 0 0 5\n0 0 0 5\n", r"line 3: 0 -> 0 of choice 0 is listed twice"),
        "infinite": ("3 4 1\n0 0 0 inf\n", r"line 2: the reward is 'inf', not a rational"),
    },
}


def broken(folder: Path, message: str, **changed: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_prism(files(folder, **changed), discount="1/2")


@pytest.mark.parametrize("case", BROKEN_TRANSITIONS)
def test_broken_transitions_are_named(tmp_path: Path, case: str) -> None:
    text, message = BROKEN_TRANSITIONS[case]
    broken(tmp_path, message, tra=text)


@pytest.mark.parametrize("case", BROKEN_LABELS)
def test_broken_labels_are_named(tmp_path: Path, case: str) -> None:
    text, message = BROKEN_LABELS[case]
    path = files(tmp_path)
    (tmp_path / "model.lab").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ModelError, match=message):
        read_prism(path, discount="1/2")


@pytest.mark.parametrize(
    ("kind", "case"), [(kind, case) for kind, cases in BROKEN_REWARDS.items() for case in cases]
)
def test_broken_rewards_are_named(tmp_path: Path, kind: str, case: str) -> None:
    text, message = BROKEN_REWARDS[kind][case]
    broken(tmp_path, message, **{kind: text})


def test_missing_arguments_and_files_are_named(tmp_path: Path) -> None:
    path = files(tmp_path)
    with pytest.raises(ModelError, match=r"holds no discount .* give one, PRISM's files know none"):
        read_prism(path)
    with pytest.raises(ModelError, match=r"1 cost\(s\) and 2 budget\(s\) given"):
        read_prism(path, costs=[tmp_path / "model"], budgets=[1, 2], discount=0)
    with pytest.raises(ModelError, match=r"neither model\.cost2\.srew nor model\.cost2\.trew"):
        read_prism(path, budgets=[1, 2], discount=0)
    with pytest.raises(ModelError, match="discount is 3/2"):
        read_prism(path, discount="3/2")
    for suffix in ("srew", "trew"):
        (tmp_path / f"model.{suffix}").unlink()
    with pytest.raises(ModelError, match=r"no reward beside model\.tra"):
        read_prism(path, discount=0)
    with pytest.raises(FileNotFoundError, match=r"other\.srew"):
        read_prism(path, rewards=tmp_path / "other.srew", discount=0)


def test_structures_that_prism_numbers(tmp_path: Path) -> None:
    """MODEL1.srew and MODEL2.srew, as PRISM writes two structures: by their names, and by files.

    To wait in 0 earns 10; from 1, the other start, 0 is reached by steps of 1/4: V(1) = 9/4.
    """
    path = files(tmp_path, srew=None, trew=None, cost_trew=None)
    (tmp_path / "model1.srew").write_text('# Reward structure "gain"\n3 1\n0 1\n')
    (tmp_path / "model2.srew").write_text('# Reward structure "fuel"\n3 1\n0 2\n')
    with pytest.raises(ModelError, match=r"structures gain \(model1.srew\), fuel \(model2.srew\)"):
        read_prism(path, discount="9/10")
    for name, value in (("gain", 1), ("fuel", 2), (tmp_path / "model2", 2)):
        assert solve(read_prism(path, rewards=name, discount="9/10")).value == value * Fraction(
            49, 8
        )
