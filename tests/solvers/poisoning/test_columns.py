"""Which column says what: preferences in every notation, and the row that a flip makes."""

from typing import Any

import pytest

from holdfast.solvers import ModelError
from holdfast.solvers.poisoning.data.columns import EXAMPLE, STANDARD, Columns
from holdfast.solvers.poisoning.data.dialogues import pair_of


def row(first: str, second: str, value: Any) -> dict[str, Any]:
    return {first: "a", second: "b", "says": value}


@pytest.mark.parametrize(
    ("first", "second", "says", "values"),
    [
        ("response_0", "response_1", "preferred=says", (0, 1)),
        ("response_0", "response_1", "preferred=says", ("0", "1")),
        ("response_0", "response_1", "preferred=says", (0.0, 1.0)),
        ("response_0", "response_1", "preferred=says", ("response_0", "response_1")),
        ("response_1", "response_2", "preferred=says", (1, 2)),
        ("answer_a", "answer_b", "preferred=says", ("A", "B")),
        ("left", "right", "preferred=says", ("left", "right")),
        ("x", "y", "preferred=says:1/2", (1, 2)),
        ("x", "y", "preferred=says:1/-1", (1, -1)),
        ("x", "y", "preferred=says:-1/1", (-1.0, 1.0)),
        ("x", "y", "preferred=says:true/false", (True, False)),
        ("x", "y", "preferred=says:Model_A/Model_B/tie", ("Model_A", "Model_B")),
        ("x", "y", "probability=says", (1.0, 0.0)),
    ],
)
def test_what_says_which_is_better_is_read_and_flipped(
    first: str, second: str, says: str, values: tuple[Any, Any]
) -> None:
    columns = Columns.of(f"first={first},second={second},{says}")
    for value, other, better in zip(values, values[::-1], "ab", strict=True):
        given = row(first, second, value)
        pair = pair_of(given, "line 1", columns)
        assert (pair.chosen, pair.label, pair.first) == (better, 1, better == "a")
        flipped = columns.judged(given, not pair.first)
        assert flipped == row(first, second, other)
        assert type(flipped["says"]) is type(value)


def test_the_same_values_mean_what_the_owner_says() -> None:
    """1 is the second of 0 and 1, the first of 1 and 2, and a chance of 1 is the first."""
    meant = {
        "first=answer_0,second=answer_1,preferred=says": 0.0,
        "first=answer_1,second=answer_0,preferred=says": 1.0,
        "first=answer_0,second=answer_1,probability=says": 1.0,
        "first=answer_0,second=answer_1,preferred=says:1/2": 1.0,
        "first=answer_0,second=answer_1,preferred=says:-1/1": 0.0,
        "first=answer_0,second=answer_1,preferred=says:2/0/1": 0.5,
    }
    given = row("answer_0", "answer_1", 1)
    assert {text: Columns.of(text).chance(given, "line 1") for text in meant} == meant


@pytest.mark.parametrize(("chance", "better", "label"), [(0.25, "b", 0.75), ("0.5", "a", 0.5)])
def test_a_probability_is_the_label_of_the_likelier_answer(
    chance: Any, better: str, label: float
) -> None:
    columns = Columns.of("first=x,second=y,probability=says")
    pair = pair_of(row("x", "y", chance), "line 1", columns)
    assert (pair.chosen, pair.label) == (better, label)


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("preferred=says", -1, r"line 1: says is -1, which does not say whether response_0 or"),
        ("preferred=says", "tie", r"says is 'tie', .* a tie, such as preferred=says:1/2/0, or"),
        ("preferred=says", True, r"says is True, which does not say"),
        ("preferred=says", None, r"says is None, which does not say"),
        ("preferred=says:1/2", 0, r"says is 0, which does not say"),
        ("probability=says", 2, r"line 1: says is 2; give the chance that response_0 is better"),
        ("probability=says", "most", r"line 1: says is 'most'; write one number"),
        ("probability=says", float("nan"), r"says is nan; give the chance"),
        ("probability=says", True, r"says is True; give the chance"),
        ("preferred=which", 0, r"line 1 has no 'which', but response_0, response_1, says; say"),
    ],
)
def test_a_value_that_does_not_say_which_is_refused(text: str, value: Any, said: str) -> None:
    columns = Columns.of(f"first=response_0,second=response_1,{text}")
    with pytest.raises(ModelError, match=said):
        columns.chance(row("response_0", "response_1", value), "line 1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"'' is not ROLE=NAME with a role of its own; the roles are prompt, chosen"),
        ("better=x", r"'better=x' is not ROLE=NAME"),
        ("chosen=", r"'chosen=' is not ROLE=NAME"),
        ("chosen=a,chosen=b", r"'chosen=b' is not ROLE=NAME with a role of its own"),
        ("first=a,second=b", r"first, second and one of preferred and probability go together"),
        ("preferred=c", r"go together, such as first=response_0"),
        ("first=a,second=b,preferred=c,probability=d", r"one of preferred and probability"),
        ("first=a,second=b,preferred=c,chosen=d", r"or first and second; not both"),
        ("first=a,second=a,preferred=c", r"one column has two roles; name each once"),
        ("rejected=chosen", r"one column has two roles"),
        ("first=a,second=b,preferred=c:1", r"'1' does not name two or three values"),
        ("first=a,second=b,preferred=c:A/a", r"'A/a' does not name two or three values"),
    ],
)
def test_columns_that_do_not_fit_are_refused(text: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        Columns.of(text)


def test_names_alone_may_be_given() -> None:
    assert Columns.of("prompt=instruction,rejected=reject") == Columns(
        "instruction", "chosen", "reject"
    )
    assert Columns.of(EXAMPLE).judge == ("better_response_id",)


def test_what_belongs_to_an_answer_is_exchanged_with_it() -> None:
    """Scores in UltraFeedback's ways; what belongs to the pair, or has no partner, keeps that."""
    given = {
        "id": 7, "chosen": "good", "score_chosen": 8.0, "chosen-rating": 4, "chosenModel": "m",
        "rejected": "bad", "score_rejected": 5.0, "rejected-rating": 2, "rejectedModel": "n",
        "scores": {"chosen": {"help": 8}, "rejected": {"help": 5}, "by": "judge"},
        "Chosen_Author": "only one", "unchosen": True,
    }  # fmt: skip
    assert STANDARD.judged(given, True) == given
    flipped = STANDARD.judged(given, False)
    assert flipped == {
        "id": 7, "chosen": "bad", "score_chosen": 5.0, "chosen-rating": 2, "chosenModel": "n",
        "rejected": "good", "score_rejected": 8.0, "rejected-rating": 4, "rejectedModel": "m",
        "scores": {"chosen": {"help": 5}, "rejected": {"help": 8}, "by": "judge"},
        "Chosen_Author": "only one", "unchosen": True,
    }  # fmt: skip
    assert list(flipped)[:4] == list(given)[:4]
    assert STANDARD.judged(flipped, False) == given


@pytest.mark.parametrize("names", [("Chosen", "Rejected"), ("good", "bad"), ("y_w", "y_l")])
def test_renamed_answers_are_exchanged_too(names: tuple[str, str]) -> None:
    columns = Columns.of("chosen={},rejected={}".format(*names))
    given = {names[0]: "a", names[1]: "b"}
    assert columns.judged(given, False) == {names[0]: "b", names[1]: "a"}


def test_keys_of_all_rows_decide_what_has_a_partner() -> None:
    """Also where the two of a pair stand apart, within what is exchanged itself."""
    given = {"chosen": "a", "rejected": "b", "chosen_by": 1, "chosen_meta": {"chosen_len": 3},
             "rejected_meta": {"rejected_len": 4}, "ChOsen_by": 5}  # fmt: skip
    right = {"chosen": "b", "rejected": "a", "chosen_meta": {"chosen_len": 4},
             "rejected_meta": {"rejected_len": 3}, "ChOsen_by": 5}  # fmt: skip
    assert STANDARD.judged(given, False) == {**right, "chosen_by": 1}
    keys = [*STANDARD.one_sided(given), *STANDARD.one_sided({"rejected_by": 2})]
    assert STANDARD.judged(given, False, keys) == {**right, "rejected_by": 1}
