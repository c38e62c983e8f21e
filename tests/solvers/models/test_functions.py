"""A model given as functions is what its table is; what is no function is refused, with a place."""

from __future__ import annotations

import copy
import pickle
from fractions import Fraction

import numpy as np
import pytest

from holdfast.solvers import ModelError, certify, from_functions, save, solve
from holdfast.solvers.models import functions as module

from ...zoo.lake import lake

F = Fraction
SIZE = 6


def ring(states, actions):
    """A step ahead or two, in a ring of six."""
    steps = np.stack([states + 1 + actions, states + 2 + actions], axis=1) % SIZE
    return steps, np.broadcast_to([2, 1], steps.shape)


def pay(states, actions):
    return states * 10 + actions


def where(function, wrong, *, state=4, action=1):
    """The same function but for one pair, where ``wrong`` changes what is returned in place."""

    def other(states, actions):
        found = function(states, actions)
        found = tuple(map(np.array, found)) if isinstance(found, tuple) else np.array(found)
        at = (states == state) & (actions == action)
        wrong(found, at)
        return found

    return other


def made(successors=ring, reward=pay, **others):
    return from_functions(SIZE, 2, successors, reward, **({"discount": F(1, 2)} | others))


def put(part, value):
    """A change of one number of successors (0) or weights (1)."""

    def change(found, at):
        found[part][at, 1] = value

    return change


def halves(states, actions):
    steps, _ = ring(states, actions)
    return steps, np.full(steps.shape, 0.5)


def test_a_table_of_it_is_exact():
    model = made(costs=[lambda s, a: (s - a) * 0.5], budgets=["7/3"], denominators=[3, 1])
    table = model.tabulated()
    assert table.transition_row(3) == [(3, F(2, 3)), (4, F(1, 3))]  # state 1, action 1
    assert table.reward_vector()[3] == F(11, 3)
    assert table.cost_vector(0)[10] == F(5, 2)
    assert (table.budgets, table.discount) == ((F(7, 3),), F(1, 2))
    assert table.initial_vector()[2] == F(1, 6)


def test_floats_are_what_they_are_over_their_exact_sum():
    tenths = np.array([0.1, 0.9 + 1e-10])
    model = made(lambda s, a: (ring(s, a)[0], np.broadcast_to(tenths, (len(s), 2))))
    exact = [F(p) for p in tenths.tolist()]
    row = dict(model.tabulated().transition_row(0))
    assert row == {1: exact[0] / sum(exact), 2: exact[1] / sum(exact)}
    assert model.survey.renormalised == 12
    assert model.survey.missed == pytest.approx(1e-10, rel=1e-3)


def test_floats_of_32_bits_are_what_they_are_too():
    tenths = np.array([0.1, 0.9], dtype=np.float32)
    model = made(lambda s, a: (ring(s, a)[0], np.broadcast_to(tenths, (len(s), 2))))
    exact = [F(p) for p in tenths.tolist()]
    assert dict(model.tabulated().transition_row(0))[1] == exact[0] / sum(exact)
    assert "12 probability row(s) re-normalised exactly" in model.tabulated().notes[1]


def test_entries_may_name_a_state_twice_and_have_no_weight():
    def successors(states, actions):
        steps = np.stack([states, states, (states + 1) % SIZE], axis=1)
        return steps, np.broadcast_to([1, 2, 0], steps.shape)

    assert made(successors).tabulated().transition_row(0) == [(0, F(1))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put(0, 6), r"\(state 4, action 1\) has successor 6; states are 0 .. 5"),
        (put(0, -1), r"\(state 4, action 1\) has successor -1"),
        (put(1, -1), r"\(state 4, action 1\) has weight -1 at position 1; weights are integers"),
        (put(1, 2**31), r"\(state 4, action 1\) has weight 2147483648"),
        (lambda f, at: f[1].__setitem__(at, 0), r"action 1\) has weights that are all 0"),
    ],
)
def test_rows_that_are_no_rows_are_refused_with_their_place(change, message):
    with pytest.raises(ModelError, match=message):
        made(where(ring, change))


@pytest.mark.parametrize("value", [0.5 + 2e-9, np.nan, np.inf, -0.5])
def test_probabilities_sum_to_one(value):
    with pytest.raises(ModelError, match=r"\(state 4, action 1\) has (probabilities that|weight)"):
        made(where(halves, put(1, value)))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("part", ["reward", "costs[0]"])
def test_payoffs_are_finite(part, value):
    wrong = where(lambda s, a: s * 1.0, lambda found, at: found.__setitem__(at, value))
    given = {"reward": wrong} if part == "reward" else {"costs": [wrong], "budgets": [1]}
    with pytest.raises(ModelError) as error:
        made(**given)
    assert str(error.value).startswith(f"(state 4, action 1) has {part} {value}; return finite")


def test_integers_beyond_doubles_are_refused():
    with pytest.raises(ModelError, match=r"\(state 0, action 0\) has reward 9007199254740993"):
        made(reward=lambda s, a: np.full(len(s), 2**53 + 1))


def test_a_function_that_raises_is_named_with_the_pair():
    def raising(states, actions):
        if ((states == 3) & (actions == 1)).any():
            raise KeyError("no such cell")
        return ring(states, actions)

    with pytest.raises(ModelError, match=r"successors raised KeyError .* for .state 3, action 1."):
        made(raising)

    def crowded(states, actions):
        if len(states) > 2:
            raise ValueError("too many")
        return pay(states, actions)

    with pytest.raises(ModelError, match=r"for \(state 0, action 0\) and 2 more at once"):
        made(reward=crowded)


def test_states_cannot_be_changed_by_a_function():
    def changing(states, actions):
        states += 1
        return states

    with pytest.raises(ModelError, match=r"reward raised ValueError .*read-only.*must not change"):
        made(reward=changing)


def test_buffers_that_functions_share_are_copied_in_time():
    buffer = np.empty((12, 2), dtype=np.uint32)

    def sharing(states, actions):
        steps, weights = ring(states, actions)
        buffer[: len(states)] = steps
        return buffer[: len(states)], weights

    def writing(states, actions):
        buffer[:] = 2**32 - 1
        return pay(states, actions)

    assert made(sharing, writing).tabulated() == made().tabulated()


@pytest.mark.parametrize(
    ("successors", "message"),
    [
        (lambda s, a: s, "successors returned a ndarray; return .states, weights."),
        (lambda s, a: (s, s), r"shapes \(2,\) and \(2,\) for 2 pairs; both are \[2, k\]"),
        (lambda s, a: ring(s[1:], a[1:]), r"shapes \(1, 2\) and \(1, 2\) for 2 pairs"),
        (lambda s, a: (s[:, None][:, :0],) * 2, "successors returned 0 states a pair"),
        (lambda s, a: (ring(s, a)[0] * 1.0, ring(s, a)[1]), "of type float64; return at least"),
        (lambda s, a: (ring(s, a)[0], ring(s, a)[1] > 0), "weights of type bool; return integers"),
        (lambda s, a: (ring(s, a)[0], np.ones((len(s), 2), "g") / 2), "of type (longd|float128)"),
    ],
)
def test_other_shapes_and_types_are_refused(successors, message):
    with pytest.raises(ModelError, match=message):
        made(successors)


def test_shapes_and_types_stay_the_same(monkeypatch):
    monkeypatch.setattr(module, "_GRAIN", 2)
    monkeypatch.setattr(module, "_PAIRS", 4)

    def widening(states, actions):
        steps, weights = ring(states, actions)
        return (steps, weights) if states[0] < 4 else (steps, weights / 3)

    with pytest.raises(ModelError, match="2 weights of type float64 for state 4 and others, 2 of"):
        made(widening)


def test_what_differs_between_calls_is_no_function():
    """The survey asks once for all, so a change at a later call is seen then."""
    generator = np.random.default_rng(0)
    with pytest.raises(ModelError, match=r"return another row, reward or cost for .state"):
        made(reward=lambda s, a: generator.random(len(s)))
    with pytest.raises(ModelError, match="return another row"):
        made(reward=lambda s, a: s - s.mean())  # depends on the other pairs of the call


@pytest.mark.parametrize("change", [put(0, 3), put(1, 0.5 + 9e-10), put(1, np.nextafter(0.5, 1))])
def test_a_later_change_of_one_number_is_seen(change):
    """The mutants: one successor, one probability by less than 1e-9, and one by its last digit."""
    calls, altered = [], where(halves, change)

    def turning(states, actions):
        return altered(states, actions) if calls else halves(states, actions)

    model = made(turning)
    pairs = model.pairs(slice(0, SIZE))
    assert model.rows(*pairs).totals.tolist() == [1.0] * 12
    calls.append(True)
    with pytest.raises(ModelError, match=r"for \(state 4, action 1\) than in .* 0 more of 12 pai"):
        model.rows(*pairs)


@pytest.mark.parametrize("swapped", [(0.25, 0.75), (0.75, 0.25)])
def test_fingerprints_tell_exchanged_entries_apart(swapped):
    """Powers of two differ in few bits, and an exchange keeps every sum."""
    found = [
        made(lambda s, a, w=w: (ring(s, a)[0], np.tile(w, (len(s), 1)))).survey.fingerprints
        for w in ([0.5, 0.5], list(swapped), list(swapped[::-1]))
    ]
    assert len(np.unique(np.concatenate(found))) == 36


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"budgets": [1]}, "there are 0 costs and 1 budgets; give one for each"),
        ({"reward": np.zeros((6, 2))}, "reward is a ndarray; give a function of arrays"),
        ({"costs": [3], "budgets": [1]}, r"costs\[0\] is a int; give a function"),
        ({"discount": 1}, "discount is 1; that of a model given as functions lies in"),
        ({"discount": np.nan}, "discount is nan"),
        ({"initial": 6}, "initial is state 6; states are 0 .. 5"),
        ({"initial": [1, 0]}, r"initial has shape \(2,\); it needs \(6,\)"),
        ({"denominators": [0]}, r"denominators are \[0\]; give 1 positive integers"),
        ({"denominators": [1, 2]}, "give 1 positive integers of at most"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ModelError, match=message):
        made(**arguments)


@pytest.mark.parametrize("count", [0, -1, 2.0, True, "6"])
def test_sizes_are_positive_integers(count):
    with pytest.raises(ModelError, match=r"n_states is .*; give a positive integer"):
        from_functions(count, 2, ring, pay, discount=F(1, 2))


def test_a_model_beyond_memory_is_refused_before_it_is_read():
    calls = []

    def counted(states, actions):
        calls.append(len(states))
        return ring(states % SIZE, actions)

    with pytest.raises(ModelError, match=r"1000000000000 states of 2 .* GB, and this machine has"):
        from_functions(10**12, 2, counted, pay, discount=F(1, 2))
    assert calls == [2]


def test_pairs_beyond_their_numbers_are_refused(monkeypatch):
    monkeypatch.setattr(module, "_MOST", 11)
    with pytest.raises(ModelError, match="6 states of 2 actions are more pairs than the 11 that"):
        made()


def test_other_budgets_need_no_second_reading():
    calls = []

    def counted(states, actions):
        calls.append(len(states))
        return ring(states, actions)

    model = made(counted, costs=[pay], budgets=[1])
    read = len(calls)
    assert model.with_budgets("1/3").budgets == (F(1, 3),)
    with pytest.raises(ModelError, match="there are 1 costs and 2 budgets"):
        model.with_budgets(1, 2)
    assert len(calls) == read
    assert str(model) == "FunctionModel(n_states=6, n_actions=2, n_constraints=1, discount=1/2)"


def test_where_runs_start():
    assert made(initial=2).initial.tolist() == [0, 0, 1, 0, 0, 0]
    assert made(initial=["1/2", 0, 0, 0, "1/3", "1/6"]).initial.tolist() == [3, 0, 0, 0, 2, 1]


@pytest.mark.parametrize(
    "use",
    [
        solve,
        lambda model: certify(model, values=np.zeros(6)),
        lambda model: save(model, "model.npz"),
        lambda model: model.digest,
    ],
)
def test_what_needs_a_table_says_so(use, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"has no .*; for anything else .* model.tabulated\(\)"):
        use(made())
    assert not list(tmp_path.iterdir())


def test_a_model_can_be_copied():
    model = made()
    assert copy.copy(model).survey is model.survey
    assert pickle.loads(pickle.dumps(model)).survey.digest == model.survey.digest


def test_the_digest_names_what_was_returned():
    """Two runs agree, and another model does not."""
    first, second, other = lake(5), lake(5), lake(6)
    assert first.evaluated() == second.evaluated()
    assert first.survey.digest != other.survey.digest
    changed = where(ring, put(1, 3))
    assert made(changed).survey.digest != made().survey.digest
