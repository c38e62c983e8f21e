"""Models as people bring them: what was misread without a word is read right or refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from holdfast.solvers import (
    CMDP,
    ModelError,
    from_arrays,
    from_gymnasium,
    load,
    read_prism,
    save,
    solve,
)
from holdfast.solvers.chance import (
    ChanceProblem,
    enclose_eventual,
    solve_first_hit,
)
from holdfast.solvers.chance.windows.problem import WindowProblem
from holdfast.solvers.exact import Vector
from holdfast.solvers.models.arrays import assemble
from holdfast.solvers.models.formats.document import model_from_document
from holdfast.solvers.poisoning import FlipProblem

from ..conftest import Invoke

HOLES = [5, 7, 11, 12]


@pytest.fixture
def holdfast(in_process: Invoke) -> Invoke:
    """In this process: what is read matters here, not the time it takes."""
    return in_process


LAKE = ("gym:FrozenLake-v1", "--discount")


def test_the_lake_s_holes_are_visited(holdfast):
    # A linear program over (time, state, action) on the environment's own table gives these.
    done = holdfast("chance", *LAKE, "1", "--horizon", "30", "--risk", "0.01,0.05,0.17", "--unsafe",
                    "5,7,11,12")  # fmt: skip
    assert done.code == 0, done.flat
    for value in ("0.0460251", "0.2282379", "0.3478727"):
        assert value in done.flat


@pytest.mark.parametrize("cost", ["states:5,7,11,12", "holes.npy"])
def test_a_cost_on_the_holes(holdfast, cost):
    # 15611/68000 = 0.229574 with multiplier 15611/3400 where the lake is in thirds.
    np.save("holes.npy", np.isin(np.arange(16), HOLES).astype(float))
    done = holdfast("solve", *LAKE, "99/100", "--cost", cost, "--limit", "1/20")
    assert done.code == 0, done.flat
    assert "≈ 0.229574" in done.flat
    assert "≈ 4.59147 (limit 1/20)" in done.flat


@pytest.mark.parametrize(
    ("arguments", "value"),
    [  # float value iteration on the environment's own table
        ("success_rate=0.8", "≈ 0.38045"),  # 0.3804495
        ('desc=["SFF","FHF","FFG"]', "≈ 0.305603"),
        ("map_name=4x4", "≈ 0.0688909"),  # as without: the optimum at discount 9/10
    ],
)
def test_arguments_of_an_environment(holdfast, arguments, value):
    done = holdfast("solve", f"gym:FrozenLake-v1?{arguments}", "--discount", "9/10")
    assert done.code == 0, done.flat
    assert value in done.flat


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ('FrozenLake-v1?desc=["SFF"', "is not JSON"),
        ("FrozenLake-v1?success_rate=1e999", "beyond all floats"),
        ("FrozenLake-v1?map_name", "is not key=value"),
        ("FrozenLake-v1?map_name=4x4&map_name=8x8", "gives an argument twice"),
        ("FrozenLake-v1?map_name=9x9", "KeyError"),
        ("FrozenLake-v9", "it has FrozenLake-v1"),
        ("Taxi-v3", "it has Taxi-v4"),
        ("Taxi-v4?fickle_passenger=true", "outside the table"),
    ],
)
def test_environments_that_cannot_be_made_as_asked(holdfast, model, said):
    done = holdfast("solve", f"gym:{model}")
    assert done.code == 64, done.flat
    assert said in done.flat


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("solve", "--cost", "step", "--limit", "100"), "cost 1 constrains nothing: no policy"),
        (("solve", "--cost", "states:5", "--limit", "1"), "cost 1 constrains nothing"),
        (("solve", "--cost", "states:0,16", "--limit", "1"), "names state 16"),
        (("chance", "--horizon", "3", "--risk", "1/2", "--unsafe", "15"),
         "no policy can reach unsafe state 15 within 3 decisions; the risk is zero"),
        (("chance", "--horizon", "30", "--risk", "1", "--unsafe", "5"), "with 1 or more nothing"),
        (("chance", "--risk", "1", "--unsafe", "5"), "with 1 or more nothing"),
        (("chance", "--horizon", "2", "--risk", "4/5", "--unsafe", "5"), "level 4/5 constrains"),
    ],
)  # fmt: skip
def test_what_has_no_effect_is_said(holdfast, options, said):
    done = holdfast(options[0], *LAKE, "99/100", *options[1:])
    assert said in done.flat, done.flat


def test_what_has_an_effect_is_not_called_idle(holdfast):
    for options in (
        ("solve", "--cost", "states:5,7,11,12", "--limit", "1/20"),
        ("chance", "--horizon", "30", "--risk", "1/20", "--unsafe", "5,7,11,12"),
    ):
        done = holdfast(options[0], *LAKE, "99/100", *options[1:])
        assert "constrains nothing" not in done.flat
        assert "no policy can reach" not in done.flat


@pytest.mark.parametrize("text", ["\u0665,7", "5,,7", "1_0", "-1", "5 "])
def test_lists_of_states_are_digits_and_commas(holdfast, text):
    for options in (
        ("solve", "--cost", f"states:{text}", "--limit", "1"),
        ("chance", "--horizon", "3", "--risk", "1/2", f"--unsafe={text}"),
    ):
        assert holdfast(options[0], *LAKE, "9/10", *options[1:]).code == 64


MATRICES = [np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.5, 0.5], [0.6, 0.4]])]
REWARD = np.array([[0.0, 1.0], [0.5, 0.0]])


def test_a_list_of_dense_matrices_is_one_for_each_action():
    # 24/17 by enumeration of the four policies, at the decimals that are meant.
    lists = (MATRICES, tuple(MATRICES), [scipy.sparse.csr_matrix(m) for m in MATRICES])
    for matrices in lists:
        model = from_arrays(matrices, REWARD, discount="1/2", limit_denominator=10)
        assert solve(model).value == Fraction(24, 17)
    array = from_arrays(np.stack(MATRICES, axis=1), REWARD, discount="1/2", limit_denominator=10)
    assert solve(array).value == Fraction(24, 17)
    with pytest.raises(ModelError, match="a list holds one S x S matrix for each action"):
        from_arrays([np.full((2, 3), 1 / 3)] * 3, np.ones((3, 2)), discount="1/2")


def test_float32_rows_are_renormalised_and_the_notes_say_so():
    z = np.arange(18, dtype=np.float32).reshape(3, 2, 3) % 5 / np.float32(3)
    rows = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    reward = np.eye(3)[:, :2]
    sparse = [scipy.sparse.csr_matrix(rows[:, a]) for a in range(2)]
    weights = [Fraction(float(x)) for x in rows[0, 0]]
    shares = [(t, w / sum(weights)) for t, w in enumerate(weights)]
    for given in (rows, sparse, [list(map(list, state)) for state in rows]):
        model = from_arrays(given, reward, discount="1/2", initial=rows[0, 0])
        assert model.transition_row(0) == shares
        assert list(model.initial_vector().fractions()) == [share for _, share in shares]
        assert model.notes[-1] == (
            "5 probability row(s) re-normalised exactly (farthest from 1: 4.5e-08)"
        )
    with pytest.raises(ModelError, match=r"farther than 1e-09 from 1; .*=1000"):
        from_arrays(rows.tolist(), reward, discount="1/2")  # of doubles, which miss it by less
    with pytest.raises(ModelError, match=r"farther than 9\.5e-07 from 1"):
        from_arrays(rows * np.float32(0.9999), reward, discount="1/2")


def test_an_archive_of_other_arrays(tmp_path):
    np.savez(tmp_path / "plain.npz", P=np.ones((1, 1, 1)), R=np.ones((1, 1)))
    with pytest.raises(ModelError, match=r"holds 'P', .* made by from_arrays"):
        load(tmp_path / "plain.npz")


@pytest.mark.parametrize(("kind", "read"), [("CTMC", False), ("DTMC", True), ("LTS", False)])
def test_rates_are_no_probabilities(tmp_path, kind, read):
    path = tmp_path / "chain.tra"
    path.write_text(f"# Transitions ({kind})\n3 4\n0 1 0.5\n0 2 0.5\n1 1 1\n2 2 1\n")
    (tmp_path / "chain.srew").write_text("# Reward structure\n# State rewards\n3 2\n0 1\n1 2\n")
    if read:  # V(1) = 2 / (1 - 9/10) = 20, V(0) = 1 + 9/10 (1/2) 20 = 10
        assert solve(read_prism(path, discount="9/10")).value == 10
        return
    with pytest.raises(ModelError, match=f"line 1: the file holds a {kind}"):
        read_prism(path, discount="9/10")


def test_decimals_of_json_are_what_is_written(tmp_path):
    model = from_arrays([[[1]]], [[1]], discount="1/2")
    document = model.to_dict() | {"discount": 0.9, "reward": [0.1]}
    (tmp_path / "m.json").write_text(json.dumps(document))
    assert solve(load(tmp_path / "m.json")).value == 1  # 1/10 / (1 - 9/10)
    with pytest.raises(ModelError, match=r"discount is the float 0.9"):
        model_from_document(document | {"reward": [1]})


def test_large_models_are_read(tmp_path):
    """A million states: a chain, whose arrays shrink more than those of any real model."""
    size = 10**6
    model = CMDP(
        n_states=size,
        choice_start=np.arange(size + 1),
        actions=np.zeros(size, dtype=np.int64),
        indptr=np.arange(size + 1),
        successors=np.minimum(np.arange(size) + 1, size - 1),
        weights=np.ones(size, dtype=np.int64),
        reward=np.ones(size, dtype=np.int64),
        reward_denominator=1,
        costs=np.empty((0, size), dtype=np.int64),
        cost_denominators=(),
        budgets=(),
        discount=Fraction(1, 2),
        initial=np.ones(size, dtype=np.int64),
    )
    assert load(save(model, tmp_path / "m.npz")).n_states == size


DOCUMENT = {  # state 0 stays and earns 1, state 1 stays and earns nothing: V = 2 and 0
    "n_states": 2, "choices": [[0, 0], [1, 0]], "transitions": [[[0, 1]], [[1, 1]]],
    "discount": "1/2", "reward": ["1", "0"], "costs": [], "budgets": [], "initial": [1, 0],
}  # fmt: skip


@pytest.mark.parametrize("initial", [["0.5", "0.05"], [0.5, 0.6], ["1/2", "1"], ["1.0", "1.0"]])
def test_fractions_are_probabilities_that_sum_to_one(tmp_path, initial):
    path = tmp_path / "m.json"
    path.write_text(json.dumps(DOCUMENT | {"initial": initial}))
    with pytest.raises(ModelError, match=r"m.json: initial sums to .*, not exactly to 1; correct"):
        load(path)
    row = [[0, initial[0]], [1, initial[1]]]
    path.write_text(json.dumps(DOCUMENT | {"transitions": [[[0, 1]], row]}))
    with pytest.raises(ModelError, match=r"transitions\[1\] sums to .*, not exactly to 1"):
        load(path)


def test_whole_numbers_are_relative_weights_and_a_note_says_so(tmp_path):
    path = tmp_path / "m.json"
    for initial, noted in (([3, 1], True), (["3", "1"], True), ([0.75, 0.25], False)):
        path.write_text(json.dumps(DOCUMENT | {"initial": initial}))
        model = load(path)
        assert solve(model).value == Fraction(3, 2)  # 3/4 of 2
        note = "initial holds whole numbers of sum 4: each is read as its share of the sum"
        assert (note in model.notes) == noted
        assert load(save(model, path)).notes == model.notes  # said once
    row = [[0, 0.25], [1, "3/4"]]  # V(1) = 1/2 (1/4 2 + 3/4 V(1)) = 2/5
    path.write_text(json.dumps(DOCUMENT | {"transitions": [[[0, 1]], row], "initial": [0, 1]}))
    assert solve(load(path)).value == Fraction(2, 5)


@pytest.mark.parametrize(
    ("argument", "remedy"),
    [
        *((f"is_slippery={text}", "write true or false as in JSON")
          for text in ("FALSE", "no", "off", "n", "None", '"False"', "False+", "null", "2")),
        ("success_rate=high", "write a number as in JSON"),
        ("success_rate=true", "write a number as in JSON"),
        ("max_episode_steps=long", "write a number as in JSON"),
    ],
)  # fmt: skip
def test_words_where_the_environment_has_a_truth_value_or_a_number(holdfast, argument, remedy):
    done = holdfast("solve", f"gym:FrozenLake-v1?{argument}")
    assert done.code == 64, done.flat
    assert f"the argument {argument.partition('=')[0]} of FrozenLake-v1 is" in done.flat
    assert remedy in done.flat


@pytest.mark.parametrize("text", ["false", "False", "0"])
def test_truth_values_of_an_environment(holdfast, text):
    # Six moves lead to the goal of the lake that is not slippery: (9/10)^5 = 59049/100000.
    done = holdfast("solve", f"gym:FrozenLake-v1?is_slippery={text}", "--discount", "9/10")
    assert "= 0.59049" in done.flat


def test_rare_events_do_not_vanish_without_a_word():
    rows = [[[0.9996, 0.0004], [0.9997, 0.0003]], [[0, 1], [0, 1]]]
    model = from_arrays(rows, [0, 1], discount="1/2", limit_denominator=1000)
    said = "2 of them became 0, the first 0.0004 in the row of (state 0, action 0)"
    assert any(said in note for note in model.notes)
    kept = from_arrays(rows, [0, 1], discount="1/2", limit_denominator=2500)
    assert not any("became 0" in note for note in kept.notes)
    assert solve(model.with_initial([1, 0])).value == 0


def test_vanished_transitions_of_an_environment_are_all_counted():
    import gymnasium

    env = gymnasium.make("FrozenLake-v1", desc=["SFG"])
    table = env.unwrapped.P
    for action in range(4):  # twice the same row
        table[0][action] = [(0.9996, 0, 0.0, False), (0.0004, 1, 0.0, False)]
    model = from_gymnasium(env, discount="1/2", limit_denominator=1000)
    said = "4 of them became 0, the first 0.0004 in the row of (state 0, action 0)"
    assert any(said in note for note in model.notes), model.notes


def test_an_array_s_cost_where_an_episode_ends_is_charged_on_arrival(holdfast):
    # One move, then the end: a cost of 1 in the end state is paid at once, not half a step later.
    np.save("goal.npy", np.array([0, 1]))
    arguments = ("solve", 'gym:FrozenLake-v1?desc=["SG"]&is_slippery=false', "--discount", "1/2")
    done = holdfast(*arguments, "--cost", "goal.npy", "--limit", "1/2")
    assert "multiplier 1 (limit 1/2)" in done.flat, done.flat
    assert "state 1 leaves no decision there, so it is charged on arrival, one step" in done.flat
    assert "a reward or cost given to it is charged on arrival" in done.flat
    assert "without reward or cost" not in done.flat
    np.save("start.npy", np.array([1, 0]))
    done = holdfast(*arguments, "--cost", "start.npy", "--limit", "2")
    assert "leaves no decision" not in done.flat
    assert "charged on arrival, one step earlier" in " ".join(
        holdfast("solve", "--help").flat.split()
    )


def test_files_beside_a_model_that_are_not_read_are_named(holdfast):
    for name, text in {
        "coin.tra": "1 1 1\n0 0 0 1\n",
        "coin.lab": '0="init"\n0: 0\n',
        "coin.srew": "1 1\n0 3\n",
        "coin.cost1.srew": "1 1\n0 1\n",
        "coin.cost2.trew": "1 1 1\n0 0 0 1\n",
        "coin2.srew": "1 1\n0 1\n",
        "coin.old.tra": "another model",
        "coin.old.srew": "of another model",
        "coins.srew": "of another model",
    }.items():
        Path(name).write_text(text)
    run = ("solve", "coin.tra", "--discount", "1/2")
    done = holdfast(*run)
    assert "value 6 " in done.flat  # 3 / (1 - 1/2)
    assert "not read: coin.cost1.srew, coin.cost2.trew, coin2.srew (--limit takes" in done.flat
    for other in (("export", "--to", "m.json"), ("verify", "cmdp/strong-duality", "--on")):
        done = holdfast(*other, *run[1:], *("--store", "s.sqlite") * (other[0] == "verify"))
        assert "note: not read: coin.cost1.srew, coin.cost2.trew, coin2.srew (--" in done.flat
    done = holdfast(*run, "--limit", "5")
    assert "not read: coin.cost2.trew, coin2.srew (--limit" in done.flat
    done = holdfast(*run, *("--limit", "5") * 2, "--cost", "coin2.srew", "--cost", "coin.cost2")
    assert "not read: coin.cost1.srew (--limit" in done.flat
    Path("coin2.srew").unlink()
    assert "not read" not in holdfast(*run, "--limit", "5", "--limit", "5").flat
    Path("start.lab").write_text('0="init"\n0: 0\n')
    model = read_prism("coin.tra", labels="start.lab", rewards=(), discount="1/2")
    assert any("not read: coin.cost1.srew, coin.cost2.trew, coin.lab, coin.srew (" in note
               for note in model.notes)  # fmt: skip


MASKED = np.ma.MaskedArray([1, 2], mask=[False, True])
UNORDERED = ["14", b"14", {1, 4}, {1: 4}, 1.5, np.array(3), MASKED]
ONE_STATE = {"transitions": [[[1]]], "reward": [[1]], "discount": "1/2"}


@pytest.mark.parametrize("wrong", UNORDERED, ids=repr)
def test_what_only_looks_like_a_sequence_is_refused(wrong):
    model = from_arrays(**ONE_STATE)
    pieces = {"counts": [1], "actions": [0], "rows": [{0: 1}],
              "reward": [Fraction(1)], "costs": [], "budgets": [], "initial": [1]}  # fmt: skip
    calls = [lambda name=name: assemble(**pieces | {name: wrong}, discount=0) for name in pieces]
    calls += [
        lambda name=name: from_arrays(**ONE_STATE | {name: wrong})
        for name in ("transitions", "reward", "costs", "budgets", "initial", "available", "notes")
    ]
    calls += [
        lambda: from_arrays(**ONE_STATE, costs=[wrong], budgets=[1]),
        lambda: from_gymnasium("FrozenLake-v1", discount=0, costs=wrong, budgets=[1, 4]),
        lambda: from_gymnasium("FrozenLake-v1", discount=0, initial=wrong),
        lambda: replace(model, budgets=wrong),
        lambda: replace(model, reward=wrong),
        lambda: model.with_costs(wrong, [1, 4]),
        lambda: model.with_costs([wrong], [1]),
        lambda: model.with_costs([[1], [1]], wrong),
        lambda: model.with_reward(wrong),
        lambda: model.with_initial(wrong),
        lambda: FlipProblem.of(wrong, [1, 0], [0, 0]),
        lambda: FlipProblem.of([wrong], [1, 0], [0, 0]),
        lambda: FlipProblem.of([[1, 2]], [1, 0], [0, 0], wrong),
        lambda: FlipProblem(wrong, Vector.of([1]), Vector.of([0])),
        lambda: FlipProblem((Vector.of([1]),), wrong, Vector.of([0])),
        lambda: ChanceProblem(model, (0,), 1, terminal=wrong),
    ]
    if not isinstance(wrong, set):  # of states a set is right: their order does not count
        calls += [
            lambda: ChanceProblem(model, wrong, 1),
            lambda: WindowProblem(model, wrong, 1, Fraction(1, 2)),
            lambda: solve_first_hit(model, wrong, 0),
            lambda: enclose_eventual(model, wrong, 0, width=1),
            lambda: model.with_labels(unsafe=wrong),
        ]
    why = (
        r"is a text|not an ordered sequence|masked|is no sequence|shape \(\)|no Vector|integer"
        r"|is one dict"
    )
    for number, call in enumerate(calls):
        with pytest.raises(ModelError, match=why):
            call()
            raise AssertionError(f"call {number} took {wrong!r}")


def test_none_is_none_and_arrays_are_sequences():
    model = from_arrays(**ONE_STATE, costs=None, budgets=None)
    assert model.n_constraints == model.with_costs(None, None).n_constraints == 0
    arrays = from_arrays(**ONE_STATE, costs=np.ones((1, 1, 1)), budgets=np.array([1.5]))
    assert arrays.budgets == (Fraction(3, 2),)
    unmasked = np.ma.MaskedArray([2])
    assert from_arrays(**ONE_STATE, costs=[[1]], budgets=unmasked).budgets == (2,)
    assert ChanceProblem(model, {0}, 1).unsafe == WindowProblem(model, {0}, 1, 0).unsafe == (0,)
    assert model.with_costs((c for c in [[1]]), (b for b in [2])).budgets == (2,)
    with pytest.raises(ModelError, match="available holds 'False'; it holds True and False"):
        from_arrays(**ONE_STATE, available=[["False"]])


def test_a_label_without_states_is_said_to_constrain_nothing(holdfast):
    model = DOCUMENT | {"labels": {"unsafe": [], "other": [1]}, "initial": [1, 0]}
    Path("m.json").write_text(json.dumps(model))
    said = "no state is unsafe, so the risk is zero and its bound constrains nothing"
    for options in (("--horizon", "2"), (), ("--fading",), ("--horizon", "2", "--charge", "1")):
        done = holdfast("chance", "m.json", "--risk", "1/2", *options)
        assert done.code == 0, done.flat
        assert said in done.flat
        done = holdfast("chance", "m.json", "--risk", "1/2", *options, "--unsafe", "unsafe,1")
        assert said not in done.flat
        assert "no policy can reach unsafe state 1" in done.flat


def test_infeasible_models_are_answers(holdfast):
    model = DOCUMENT | {"costs": [["1", "1"]], "budgets": ["1"]}  # every policy pays 2
    Path("m.json").write_text(json.dumps(model))
    done = holdfast("solve", "m.json")
    assert "infeasible" in done.flat
    assert done.code == 0
    model = DOCUMENT | {"labels": {"unsafe": [0]}}
    Path("m.json").write_text(json.dumps(model))
    done = holdfast("chance", "m.json", "--risk", "1/2", "--horizon", "2")
    assert "infeasible" in done.flat
    assert done.code == 0


P = np.array([[[0.9, 0.1], [0.5, 0.5]], [[0.2, 0.8], [0.6, 0.4]]])


@pytest.mark.parametrize(
    ("transitions", "reward", "said"),
    [
        (np.full((2, 3, 3), 1 / 3), REWARD, "of an array [A, S, S] give the list"),
        (np.full((3, 3, 2), 1 / 3), REWARD, "shape (3, 3, 2); it must be [S, A, S]"),
        (scipy.sparse.csr_matrix(P.reshape(4, 2)), REWARD, "is one csr_matrix; give"),
        ({0: {0: [(1, 0)]}}, REWARD, "is one dict; give an array [S, A, S]"),
        (P, np.ones((2, 2, 2)), "give the means, (P * R).sum(axis=-1)"),
        (P, np.ones((2, 1)), "shape (2, 1); transitions need (2, 2)"),
        (P * [[[1], [0]], [[1], [1]]], REWARD, "(state 0, action 1) is all zeros; .* available"),
        (P * [[[1], [np.nan]], [[1], [1]]], REWARD, "(state 0, action 1) is nan"),
        (P * 100, REWARD, "sums to 100.0, .* dividing it by its sum"),
        (P.astype(complex), REWARD, "(state 0, action 0) is (0.9+0j)"),
    ],
)
def test_arrays_of_another_layout_name_the_remedy(transitions, reward, said):
    with pytest.raises(
        ModelError, match=re.escape(said).replace(r"\.\*", ".*").replace(r"\ ", " ")
    ):
        from_arrays(transitions, reward, discount="1/2")


def test_arrays_of_other_libraries_are_read():
    class Tensor:
        """As torch's: an array that has a dtype of its own kind."""

        dtype = "float64 of another library"

        def __init__(self, values):
            self.values = values

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.values, dtype)

    right = from_arrays(P, REWARD, discount="1/2")
    others = (P.astype(object), Tensor(P), list(P.transpose(1, 0, 2)), np.ma.array(P))
    for other in others:
        assert from_arrays(other, Tensor(REWARD), discount="1/2") == right
    texts = from_arrays(P.astype(str), REWARD.astype(str), discount="1/2")
    assert solve(texts).value == Fraction(24, 17)


@pytest.mark.parametrize("suffix", ["csv", "mat", "npy", "pkl", "prism"])
def test_other_files_name_the_remedy(holdfast, suffix):
    Path(f"model.{suffix}").write_bytes(b"\x80\x04K\x01.")
    done = holdfast("solve", f"model.{suffix}")
    assert done.code == 64
    assert done.says("the suffix must be .json, .npz or .tra", "from_arrays", "-exportmodel")


def test_a_document_of_arrays_names_the_remedy(holdfast):
    Path("model.json").write_text(json.dumps({"P": P.tolist(), "gamma": 0.9}))
    assert holdfast("solve", "model.json").says("lacks n_states", "from_arrays makes a model")


@pytest.mark.parametrize("model", ["gym:FrozenLake-v1", "frozen-lake-4x4"])
def test_a_discount_of_one_says_what_to_do(holdfast, model):
    done = holdfast("solve", model, "--discount", "1")
    assert done.code == 64
    assert done.says("give a discount below 1", "`holdfast chance` with a --horizon")
