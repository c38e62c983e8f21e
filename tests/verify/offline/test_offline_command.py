"""``holdfast offline`` on models and logs, and every input that is refused."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from holdfast.solvers import Policy, from_arrays, policy_return, save
from holdfast.verify.campaign.exit_codes import ExitCode

from ..conftest import Invoke

HALF = Fraction(1, 2)
HEAD = "state,action,reward,cost,next_state,done\n"


def ward() -> object:
    """A patient is stable (0) or not (1); treating hard pays and costs most; else it ends (2)."""
    rows = [
        [[Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)], [Fraction(3, 4), ZERO, Fraction(1, 4)]],
        [[ZERO, Fraction(1, 2), HALF], [HALF, Fraction(1, 4), Fraction(1, 4)]],
        [[ZERO, ZERO, 1]] * 2,
    ]
    return from_arrays(rows, [[1, 2], [0, 1], [0, 0]], [[[0, 1], [0, 1], [0, 0]]], ["4/5"],
                       discount=HALF, initial=[1, 0, 0])  # fmt: skip


ZERO = Fraction(0)
LOG = HEAD + "".join(
    f"{s},{a},{2 - s - (1 - a)},{a},{t},{int(t == 2)}\n"
    for s, a, t in [(0, 0, 0), (0, 1, 1), (1, 1, 0), (0, 0, 2), (0, 1, 2)] * 40
)


@pytest.fixture
def here(holdfast: Invoke) -> Invoke:
    """The command line in a folder with a model and a log."""
    save(ward(), "ward.json")
    Path("log.csv").write_text(LOG)
    return holdfast


def test_a_simulated_log_has_exact_values_beside(here: Invoke) -> None:
    done = here("offline", "ward.json", "--steps", 20_000, "--json", "out.json", "--plot", "p.svg")
    assert done.code == 0, done.output
    assert done.says("(simulated)", "4 of 4 pairs were visited", "30 visits or more")
    assert done.says("2 of the 2 states are reached", "plan are made of", "by OG-A")
    found = json.loads(Path("out.json").read_text())
    uniform = policy_return(ward(), Policy.uniform(ward()))
    low, high = found["exact"]["behaviour"][0]
    assert low <= uniform <= high < low + 1e-9
    for name, plan in found["plans"].items():
        (truth, _), (spent, _) = found["exact"][name]
        assert Fraction(plan["bounds"][0]) <= truth
        assert Fraction(plan["bounds"][1]) >= spent
        assert plan["values"][1] <= 0.8 + 1e-9
    assert Path("p.svg").stat().st_size > 10_000
    assert not done.says("rewards and costs are taken to range")


def test_more_steps_certify_more_than_the_behaviour(here: Invoke) -> None:
    done = here("offline", "ward.json", "--steps", 300_000, "--limit", 3)
    assert done.says("certified to earn more than the behaviour")


def test_spare_actions_of_ends_are_not_counted_and_no_more_is_said_than_is_so(
    holdfast: Invoke,
) -> None:
    """Ends of the lake have one action; the plan beats the behaviour in the model alone."""
    done = holdfast("offline", "frozen-lake-4x4", "--steps", 200_000)
    assert done.says("49 of 49 pairs were visited")
    assert done.says("in the model it does (", "but the behaviour's interval reaches beyond")
    assert not done.says("it does not in the model either")


def test_a_log_is_read_and_what_is_assumed_is_said(here: Invoke) -> None:
    done = here("offline", "log.csv", "--limit", 1, "--discount", "1/2", "--json", "out.json")
    assert done.code == 0, done.output
    assert done.says("200 steps in", "rewards and costs are taken to range as they do in the log")
    assert done.says("no states are taken to be there but those of the log")
    assert done.says("not certified to earn more than", "it does not in the model either")
    found = json.loads(Path("out.json").read_text())
    assert found["visits"] == [[80, 80], [0, 40]]
    assert any(note.startswith("rewards and costs are taken to range") for note in found["notes"])
    assert sum(map(done.output.count, ["  note: "])) == len(found["notes"])
    assert "exact" in found
    assert found["exact"] == {}


def test_only_what_is_said_to_be_decided_by_the_pair_is_exact(here: Invoke) -> None:
    arguments = ["offline", "log.csv", "--limit", "9", "--discount", "1/2", "--json", "out.json",
                 "--cost-range", "0", "3"]  # fmt: skip
    assert here(*arguments).says("of the reward and cost 1 means are used")
    assert json.loads(Path("out.json").read_text())["plans"]["guarded"]["means"][1] > 0
    done = here(*arguments, "--deterministic", "cost")
    assert done.says("decided by state and action alone, as --deterministic says: cost 1")
    assert json.loads(Path("out.json").read_text())["plans"]["guarded"]["means"][1] == 0


def test_a_state_without_support_is_named(here: Invoke) -> None:
    done = here("offline", "log.csv", "--limit", 9, "--n0", 50, "--json", "out.json")
    assert done.says("without a supported action: state 1")
    assert json.loads(Path("out.json").read_text())["lost"] == [1]


def test_what_prevents_a_plan_is_said(here: Invoke) -> None:
    done = here("offline", "log.csv", "--limit", "-1")
    assert done.code == 0
    assert done.says("no guarded plan: cost 1 is at least", "and its budget is -1")
    Path("one.csv").write_text(HEAD + "0,0,1,0,1,1\n")
    done = here("offline", "one.csv", "--limit", 200)
    assert done.says("every policy leaves the support", "--exits allows 0")


def test_features_make_a_guardian(here: Invoke) -> None:
    np.save("f.npy", np.array([[[0.0], [1]], [[2], [3]]]))
    for kind in ("ellipsoid", "density"):
        done = here("offline", "log.csv", "--limit", 9, "--guardian", kind, "--features", "f.npy")
        assert done.code == 0, done.output
        assert done.says(f"{kind}, 0.05 of the steps left out")


def test_a_behaviour_of_ones_own(here: Invoke) -> None:
    np.save("b.npy", np.array([[0.5, 0.5], [0.0, 1.0], [1.0, 0.0]]))
    done = here("offline", "ward.json", "--steps", 2000, "--behaviour", "b.npy")
    assert done.says("3 of 4 pairs were visited")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "is no log; for a model give --steps"),
        (["nothing", "--steps", "9"], "no model 'nothing'"),
        (["ward.json"], "give --steps"),
        (["some.txt", "--reward-range", "0", "1"], "some.txt is no log (.csv, .csv.gz, .npz, .hd"),
        (["lacks.npz", "--limit", "1"], "hold the next_state"),
        (["empty.npz", "--reward-range", "0", "1"], "empty.npz is no log"),
        (["log.csv", "--limit", "0x10"], "decimals and fractions only"),
        (["log.csv", "--limit", "1", "--json", "-"], "--json -: this command does not take - for"),
        (["ward.json", "--steps", "0"], "from 1 to"),
        (["ward.json", "--steps", "9", "--bins", "3"], "--bins has no effect on a model"),
        (["ward.json", "--steps", "9", "--states", "3"], "--states has no effect on a model"),
        (["ward.json", "--steps", "9", "--behaviour", "expert"], "expert is of icu-sepsis"),
        (["ward.json", "--steps", "9", "--behaviour", "no.npy"], "--behaviour no.npy cannot be"),
        (["ward.json", "--steps", "9", "--behaviour", "f.npy"], "is of shape (2, 2, 1)"),
        (["ward.json", "--steps", "9", "--behaviour", "off.npy"], "state 1 sum to 0.5"),
        (["ward.json", "--steps", "9", "--cost", "step"], "brings its own costs"),
        (["ward.json", "--steps", "9", "--discount", "1"], "discount is 1"),
        (["free.json", "--steps", "9"], "has no costs"),
        (["log.csv"], "1 costs and 0 limits"),
        (["log.csv", "--limit", "x"], "rational number"),
        (["log.csv", "--limit", "1", "--discount", "1"], "the discount is 1"),
        (["log.csv", "--limit", "1", "--steps", "9"], "--steps has no effect on a log"),
        (["log.csv", "--limit", "1", "--seed", "9"], "--seed has no effect on a log"),
        (["ward.json", "--steps", "9", "--deterministic", "cost"], "has no effect on a model"),
        (["vary.csv", "--limit", "1", "--deterministic", "cost"], "state 0, action 1; do not say"),
        (["log.csv", "--limit", "1", "--reward", "x"], "--reward has no effect on a log"),
        (["ward.json", "--steps", "9", "--reward", "x"], "ward.json has one reward"),
        (["log.csv", "--limit", "1", "--delta", "0"], "--delta is 0"),
        (["log.csv", "--limit", "1", "--delta", "1"], "--delta is 1"),
        (["log.csv", "--limit", "1", "--exits", "-1"], "--exits is -1"),
        (["log.csv", "--limit", "1", "--n0", "0"], "from 1 to"),
        (["log.csv", "--limit", "1", "--column", "state"], "write WHAT=NAME"),
        (["log.csv", "--limit", "1", "--column", "state=x"], "no column 'x'"),
        (["log.csv", "--limit", "1", "--column", "done=x", "--column", "done=y"], "given twice"),
        (["log.csv", "--limit", "1", "--bins", "4"], "not cut into bins"),
        (["log.csv", "--limit", "1", "--reward-range", "1", "0"], "give the lower end first"),
        (["log.csv", "--limit", "1", "--reward-range", "0", "1"], "widen it"),
        (["log.csv", "--limit", "1", "--cost-range", "0", "9", "--cost-range", "0", "9"],
         "2 ranges of costs and 1 costs"),
        (["log.csv", "--limit", "1", "--return-range", "0", "1"], "returns of log.csv are from"),
        (["log.csv", "--limit", "1", "--states", "1"], "1 states are said"),
        (["log.csv", "--limit", "1", "--features", "f.npy"], "--features has no effect"),
        (["log.csv", "--limit", "1", "--bandwidth", "1"], "--bandwidth has no effect without"),
        (["log.csv", "--limit", "1", "--guardian", "ellipsoid"], "give --features"),
        (["log.csv", "--limit", "1", "--guardian", "density", "--n0", "3"], "--n0 has no effect"),
        (["log.csv", "--limit", "1", "--guardian", "ellipsoid", "--features", "off.npy"],
         "features are of shape"),
        (["log.csv", "--limit", "1", "--guardian", "ellipsoid", "--features", "f.npy",
          "--left-out", "1"], "1.0 is left out"),
        (["log.csv", "--limit", "1", "--plot", "p.txt"], "suffix"),
        (["log.csv", "--limit", "1", "--json", "log.csv"], "same file as the data log.csv"),
        (["log.csv", "--limit", "1e400"], "the budget of cost 1 is larger than 1e+100"),
        (["log.csv", "--limit", "1e-400"], "the budget of cost 1 is smaller than 1e-100"),
        (["log.csv", "--limit", "1", "--exits", "1e400"], "the budget of exits is larger"),
        (["log.csv", "--limit", "1", "--delta", "1e-3000"], "delta is below 1e-100"),
        (["log.csv", "--limit", "1", "--reward-range", "-1e308", "1e309"], "an end of a range is"),
        (["log.csv", "--limit", "1", "--cost-range", "0", "1e-400"], "an end of a range is small"),
        (["log.csv", "--limit", "1", "--return-range", "0", "1e400"], "an end of a range is larg"),
        (["log.csv", "--limit", "1", "--discount", "0." + "9" * 30], "too near for sums"),
        (["large.csv", "--limit", "1"], "step 1: the reward is 1e+308; it must be 1e+100 at most"),
        (["log.csv", "--limit", "1", "--guardian", "density", "--features", "large.npy"],
         "a feature is larger than 1e+100"),
        (["log.csv", "--limit", "1", "--guardian", "ellipsoid", "--features", "large.npy"],
         "a feature is larger than 1e+100"),
        (["log.csv", "--limit", "1", "--guardian", "density", "--features", "f.npy",
          "--bandwidth", "1e-300"], "the bandwidth is 1e-300; on features scaled"),
        (["ward.json", "--steps", "9", "--limit", "1e400"], "the budget of cost 1 is larger"),
        (["large.json", "--steps", "9"], "a reward or cost of the model is larger"),
        (["gym:FrozenLake-v1", "--steps", "9"], "has no costs"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused(here: Invoke, arguments: list[str], words: str) -> None:
    Path("some.txt").write_text(LOG)
    np.savez("lacks.npz", state=[0], action=[0], reward=[0.0], cost=[0.0], terminated=[1])
    np.savez("empty.npz")
    np.save("f.npy", np.array([[[0.0], [1]], [[2], [3]]]))
    np.save("off.npy", np.array([[0.5, 0.5], [0.0, 0.5], [1.0, 0.0]]))
    save(ward().with_costs([], []), "free.json")
    save(ward().with_reward([10**400] * 6), "large.json")
    np.save("large.npy", np.array([[[0.0], [1]], [[2], [1e308]]]))
    Path("large.csv").write_text(HEAD + "0,1,1e308,-1e308,0,0\n")
    Path("vary.csv").write_text(HEAD + "0,1,1,0,0,0\n0,1,1,1,0,1\n")
    done = here("offline", *arguments)
    assert done.code == ExitCode.BAD_USAGE, done.output
    assert done.says(words)
