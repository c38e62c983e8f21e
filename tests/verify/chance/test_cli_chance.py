"""``chance``: values, where the policy flips, certificates, pictures, bad input."""

import json
from pathlib import Path

import pytest

from holdfast.solvers import CMDP, from_arrays, save
from holdfast.verify.kernel import check_file

from ..conftest import Invoke


def golden() -> CMDP:
    """Three states, of which 2 is unsafe; at level 1/4 and horizon 3 the optimum is 2419/400.

    It flips between the kinks (1/5, 134/25) and (9/25, 189/25) with probability (1/4 - 1/5) /
    (9/25 - 1/5) = 5/16 of the second: 134/25 + 5/16 (55/25) = 2419/400.
    """
    return from_arrays(
        [
            [["4/10", "4/10", "2/10"], ["6/10", "4/10", 0]],
            [["5/10", "1/10", "4/10"], ["8/10", "2/10", 0]],
            [["5/10", "5/10", 0], [0, 1, 0]],
        ],
        [[3, 1], [5, 0], [2, 2]],
        discount=1,
        initial=[1, 0, 0],
    ).with_labels(unsafe=[2])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save(golden(), tmp_path / "golden.json")


def test_the_optimum_and_where_it_flips(holdfast: Invoke, model: Path) -> None:
    done = holdfast("chance", model, "--risk", "1/4", "--horizon", 3)
    assert done.code == 0
    assert done.says("2419/400", "55/4", "flip once an episode: with probability 0.3125")
    assert done.says("in state 1 at time 1, safe so far take action 0 with probability 0.3125")
    assert done.says("accepted by the kernel")
    report = check_file(done.certificate)
    assert report.accepted
    assert str(report.enclosure) == "2419/400"


def test_the_program_gives_the_same(holdfast: Invoke, model: Path) -> None:
    arguments = ("chance", model, "--risk", "1/4", "--horizon", 3, "--method", "program")
    assert holdfast(*arguments).says("2419/400", "accepted by the kernel")


def test_a_table_of_levels_beside_booles_sum(holdfast: Invoke, model: Path) -> None:
    done = holdfast(
        "chance", model, "--risk", "0.1,1/4", "--risk", "2/5", "--horizon", 3,
        "--compare-boole", "--certificate", "out.certificate.json",
    )  # fmt: skip
    assert done.says("191/50", "2419/400", "403/50", "3.655", "5.605")
    for level in ("1-10", "1-4", "2-5"):
        assert check_file(f"out.risk-{level}.certificate.json").accepted


def test_a_level_below_the_least_risk_says_which_that_is(holdfast: Invoke, tmp_path: Path) -> None:
    """One state to leave, into the unsafe one with probability 1/3 whatever is done."""
    trap = from_arrays(
        [[[0, "1/3", "2/3"]], [[0, 1, 0]], [[0, 0, 1]]], [1, 0, 0], discount=1, initial=[1, 0, 0]
    )
    path = save(trap, tmp_path / "trap.json")
    done = holdfast("chance", path, "--risk", "0.3", "--horizon", 2, "--unsafe", "1")
    assert done.says("infeasible", "1/3", "accepted by the kernel")
    assert json.loads(done.certificate.read_text())["kind"] == "cmdp-infeasible"


def test_options_of_the_constraint(holdfast: Invoke, model: Path) -> None:
    common = ("chance", model, "--risk", "1/4", "--horizon", 3)
    assert holdfast(*common, "--charge", "1").says("1121/200", "expected number of unsafe states")
    assert holdfast(*common, "--charge", "1/2").says("expected sum of 1/2^(j-1)")
    safe_only = holdfast(*common, "--reward-only-safe")
    assert safe_only.code == 0
    assert not safe_only.says("2419/400")
    assert holdfast(*common, "--all", "--unsafe", "0,2").code == 0


def test_an_unsafe_start_is_pointed_out_and_can_be_counted(
    holdfast: Invoke, tmp_path: Path
) -> None:
    path = save(golden().with_initial([0, 0, 1]), tmp_path / "late.json")
    common = ("chance", path, "--risk", "1/4", "--horizon", 3)
    assert holdfast(*common).says("start state 2 is unsafe; the window begins at s_1")
    assert holdfast(*common, "--counts-start").says("infeasible", "start state 2 is unsafe")


def ruinous() -> CMDP:
    """One safe state: wait, or earn 1 with hazard 1/10. Any stationary use is ruined for sure."""
    return from_arrays(
        [[[1, 0], ["9/10", "1/10"]], [[0, 1], [0, 1]]],
        [[0, 1], [0, 0]],
        discount="1/2",
        initial=[1, 0],
    ).with_labels(unsafe=[1])


def test_without_a_horizon_the_optimum_is_enclosed(holdfast: Invoke, tmp_path: Path) -> None:
    """Level 1/10 pays for the risky action once, now: the optimum is 1."""
    path = save(ruinous(), tmp_path / "ruinous.json")
    done = holdfast("chance", path, "--risk", "1/10")
    assert done.code == 0
    assert done.says("lower bound 1 upper bound 11534345/11534336", "21 free decisions")
    assert holdfast("chance", path, "--risk", "0").says("lower bound 0")


def test_the_discounted_time_of_a_violation(holdfast: Invoke, tmp_path: Path) -> None:
    """Risking with probability q: E[2^-tau] = q/20 + (1 - q/10)/2 E[2^-tau], and 1/11 at q = 1."""
    path = save(ruinous(), tmp_path / "ruinous.json")
    done = holdfast("chance", path, "--risk", "1/21", "--fading")
    assert done.code == 0
    assert done.says("E[gamma^tau]", "risk 1/21", "accepted by the kernel", "Pr(tau <= 10)")


def test_a_first_window_then_free(holdfast: Invoke, tmp_path: Path) -> None:
    """The window forbids the risky action once; then it is used for ever: 1/2 / (1 - 9/20)."""
    path = save(ruinous(), tmp_path / "ruinous.json")
    done = holdfast("chance", path, "--risk", "0", "--horizon", 1, "--then-free")
    assert done.says("10/11", "accepted by the kernel")


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_picture(holdfast: Invoke, model: Path, suffix: str) -> None:
    done = holdfast("chance", model, "--risk", "1/4", "--horizon", 3, "--plot", f"out.{suffix}")
    assert done.says(f"plot: out.{suffix}")
    assert Path(f"out.{suffix}").stat().st_size > 5000


def test_the_picture_of_a_model_with_coordinates_has_a_map(
    holdfast: Invoke, tmp_path: Path
) -> None:
    placed = golden().with_coordinates([(0, 0), (1, 0), (1, 1)])
    path = save(placed, tmp_path / "placed.json")
    holdfast("chance", path, "--risk", "1/4", "--horizon", 3, "--plot", "map.svg")
    text = Path("map.svg").read_text()
    assert "safer policy" in text or "bolder" in text
    assert text.count('<g id="axes_') == 2


def test_a_picture_for_a_charge_in_between(holdfast: Invoke, tmp_path: Path) -> None:
    """More policies than are enumerated, five memories, and two of Boole's policies."""
    path = save(golden(), tmp_path / "golden.json")
    done = holdfast("chance", path, "--risk", "1/4", "--horizon", 4, "--charge", "1/2",
                    "--reward-only-safe", "--plot", "between.svg")  # fmt: skip
    assert done.code == 0
    assert "best under Boole" in Path("between.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--risk", "1", "--horizon", "3"), "level is 1; a joint chance lies in [0, 1]"),
        (("--risk=-1/10", "--horizon", "3"), "level is -1/10"),
        (("--risk", "some", "--horizon", "3"), "a risk is 'some'"),
        (("--risk", "1/4", "--horizon", "0"), "not a whole number from 1"),
        (("--risk", "1/4"), "give a --horizon, the number of decisions: the discount is 1"),
        (("--risk", "1/4", "--horizon", "3", "--unsafe", "7"), "unsafe holds 7"),
        (("--risk", "1/4", "--horizon", "3", "--unsafe", "2,2"), "state 2 twice"),
        (("--risk", "1/4", "--horizon", "3", "--unsafe", "holes"), "(it has unsafe)"),
        (("--risk", "1/4", "--horizon", "3", "--charge", "2"), "charge is 2"),
        (("--risk", "1/4", "--horizon", "3", "--plot", "out.txt"), "cannot draw out.txt"),
        (("--risk", "1/4", "--horizon", "3", "--method", "enclosure"), "is not one of"),
        (("--risk", "1/4", "--fading", "--horizon", "3"), "drop --horizon"),
        (("--risk", "1/4", "--width", "1", "--horizon", "3"), "drop --horizon"),
        (("--risk", "1/4", "--discount", "1/2", "--charge", "1"), "--charge needs a"),
        (("--risk", "1/4", "--discount", "1/2", "--method", "program"), "needs a --horizon"),
        (("--risk", "1/4", "--discount", "1/2", "--certificate", "a"), "or --fading"),
        (("--risk", "1/4", "--discount", "1/2", "--all"), "--all needs a --horizon"),
        (("--risk", "1/4", "--discount", "1/2", "--fading", "--width", "1"), "is exact"),
        (("--risk", "1/4", "--horizon", "3", "--then-free"), "the discount is 1"),
        (("--risk", "1/4", "--discount", "1/2", "--plot", "a.svg"), "--plot needs"),
        (("--risk", "1/4", "--discount", "1/2", "--width", "0"), "width is 0"),
        (("--risk", "1/4", "--discount", "1/2", "--budget", "9s"), "--budget needs a --horizon"),
        (("--risk", "1/4", "--horizon", "3", "--budget", "9"), "is not a time above zero"),
        (("--risk", "0.1,1/4", "--horizon", "3", "--all"), "--all prints the policy of one level"),
        (("--horizon", "3"), "Missing option '--risk'"),
        (("--risk", "1/4", "--horizon", "3", "--limit", "1"), "No such option"),
    ],
)  # fmt: skip
def test_bad_input(holdfast: Invoke, model: Path, arguments: tuple[str, ...], said: str) -> None:
    done = holdfast("chance", model, *arguments)
    assert done.code == 64
    assert done.says(said)


def test_a_certificate_of_each_level_is_looked_at_before_the_work(
    holdfast: Invoke, model: Path
) -> None:
    Path("golden.risk-1-4.certificate.json").mkdir()
    levels = ("chance", model, "--risk", "0.1,1/4", "--horizon", 3)
    done = holdfast(*levels, "--certificate", "golden.certificate.json")
    assert done.code == 64
    assert done.says("golden.risk-1-4.certificate.json is a folder; name a file")
    assert not Path("golden.risk-1-10.certificate.json").exists()
    Path(".holdfast").write_text("a file")
    assert holdfast(*levels).says("--certificate: the folder .holdfast/certificates cannot be made")


def test_each_level_has_a_certificate_of_its_own(holdfast: Invoke, model: Path) -> None:
    for _ in range(2):  # again the same: no further files
        assert holdfast("chance", model, "--risk", "0.1,1/4", "--horizon", 3).code == 0
    names = sorted(path.name for path in Path(".holdfast/certificates").iterdir())
    assert len(names) == 2
    assert all(name.startswith("golden-") for name in names)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("0.1,1/10",), "--risk has 1/10 more than once; give each value once"),
        (("1/4", "--charge", "1", "--compare-boole"), "--compare-boole compares with --charge 1"),
    ],
)
def test_levels_given_twice_and_a_comparison_with_itself_are_refused(
    holdfast: Invoke, model: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = holdfast("chance", model, "--horizon", 3, "--risk", *arguments)
    assert done.code == 64
    assert done.says(said)
