"""``pid``: exact verdicts with their picture, and what it refuses."""

import json
from pathlib import Path

import pytest

from holdfast.solvers.offline.multipliers.crossings import gain_limits
from holdfast.solvers.offline.multipliers.stability import GAINS, Loop
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.offline.commands.pid import answer_of, document
from holdfast.verify.offline.loop_pictures import draw_loop

from ..conftest import Invoke

PLANT = ("pid", "--plant", "0.5,1")
GOOD = (*PLANT, "--kp", "2", "--ki", "1/2")


def test_the_answer_is_that_of_the_solvers(holdfast: Invoke) -> None:
    done = holdfast(*GOOD, "--kd", 1, "--step", "0.1", "--json", "out.json", "--plot", "plot.png")
    assert done.code == 0, done.output
    assert done.says(
        "a = 1/2 and b = 1; K_P 2, K_I 1/2, K_D 1; step 1/10, form stooke",
        "stable with the gains as given: every eigenvalue lies inside the unit circle (exact)",
        "multiplier and integral are not cut off at 0",
        "K_D's term acts on one side of 0 only",
        "derivative 0: stable, largest modulus 0.866025",
        "stable however they change: one quadratic form falls under all of them (exact)",
        "damping ratio 1.25 without steps: it does not swing; critical K_P 1.5",
    )
    loop = Loop("1/2", 1, 2, "1/2", 1, "1/10")
    found = json.loads(Path("out.json").read_text())
    assert found["limits"] == {name: list(gain_limits(loop, name) or ()) for name in GAINS}
    assert found["limits"]["proportional"][1] == pytest.approx(17.25)
    assert found["verdict"] == "stable"
    assert len(found["common_form"]) == len(found["eigenvalues"]) == 3
    assert Path("plot.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (("--plant", "0,1", "--kp", 0, "--ki", 1),
         ("boundary", "some have none", "not stable now", "it swings; critical K_P 2")),
        (("--plant", "0.2,1", "--kp", "0.5", "--ki", "0.2", "--form", "incremental"),
         ("unstable: some eigenvalue has a positive real part", "form incremental", "0.0795053")),
        (("--plant", "0.5,1", "--kp", "0.2", "--ki", "0.5", "--step", "0.1", "--form", "adaptive",
          "--largest", 25),
         ("reconstructed", "proportional 25: unstable", "which proves nothing")),
        (("--plant", "0.5,1", "--kp", 2, "--ki", "0.5", "--step", "0.1", "--form", "osrl"),
         ("K_P's term acts on one side", "proportional 0: stable")),
        (("--plant", "1,0", "--kp", 1, "--ki", 1, "--step", "0.1"),
         ("boundary", "b is 0, so that nothing is controlled: no multiplier moves the plant")),
        (("--plant", "1,1", "--kp", 1, "--ki", 0),
         ("K_I is 0", "the constraint stays violated")),
        (("--plant", "1,1", "--kp", 30, "--ki", 1, "--step", "0.1"),
         ("unstable: some eigenvalue lies outside the unit circle",)),
    ],
)  # fmt: skip
def test_what_is_said(holdfast: Invoke, options: tuple, texts: tuple[str, ...]) -> None:
    done = holdfast("pid", *options)
    assert done.code == ExitCode.AS_EXPECTED, done.output
    assert done.says(*texts), done.output


def test_omnisafe_is_said_to_smooth() -> None:
    loop = Loop("1/2", 1, 2, "1/2", 0, "1/10", form="omnisafe")
    answer = answer_of(loop)
    assert document(answer)["form"] == "omnisafe"
    assert answer.limits["proportional"][1] > 100  # smoothing takes the damping, and the limit


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--plant", "1"), "'1' is not two numbers a,b such as 0.5,1"),
        (("--plant", "1,2,3"), "is not two numbers a,b"),
        (("--plant", "-1,1"), "'-1' is not a number of at least 0"),
        (("--plant", "1,x"), "'x' is not a number, such as 0.05 or 1/20"),
        (("--plant", "nan,1"), "'nan' is not a number of at least 0"),
        (("--kp", "-1"), "'--kp': '-1' is not a number of at least 0, such as 0.05"),
        (("--ki", "inf"), "'--ki': 'inf' is not a number of at least 0"),
        (("--kd", "1/0"), "'--kd': '1/0' is not a number of at least 0"),
        (("--kp", "1e400"), "'--kp': 1e400 is neither 0 nor of a size from 1e-30 to 1e30"),
        (("--plant", "1e200,1e200"), "'--plant': 1e200 is neither 0 nor of a size"),
        (("--plant", "1,-1e-31"), "'--plant': -1e-31 is neither 0 nor of a size"),
        (
            ("--kp", "1" + "0" * 45),
            "has 46 characters; give 40 at most, of a number",
        ),
        (("--plant", "0x10,1"), "'0x10' is not a number of at least 0, such as 0.05 or 1/20"),
        (("--json", "-"), "--json -: this command does not take - for its output"),
        (("--step", "0"), "--step 0 moves nothing; give a step above 0, or none at all"),
        (("--form", "pid"), "'pid' is not one of 'stooke', 'fsrl'"),
        (("--form", "osrl"), "--form osrl is a form of controllers with steps; give --step"),
        (("--largest", "3"), "--largest has no effect with --form stooke, whose gains stay"),
        (("--step", "1", "--form", "adaptive"), "--form adaptive needs --largest"),
        (("--step", "1", "--form", "adaptive", "--largest", "1"), "largest is 1, below"),
        (("--plot", "plot.gif"), "the suffix must be one of .png, .svg, .pdf"),
        (("--json", "no/such.json"), "there is no folder"),
    ],
)
def test_wrong_input_is_refused(holdfast: Invoke, options: tuple, message: str) -> None:
    done = holdfast(*GOOD, *options)
    assert done.code == 64, done.output
    assert done.says(message), done.output


def test_something_is_missing(holdfast: Invoke) -> None:
    for missing in ("--plant", "--kp", "--ki"):
        given = dict(zip(GOOD[1::2], GOOD[2::2], strict=True))
        del given[missing]
        done = holdfast("pid", *(word for pair in given.items() for word in pair))
        assert done.code == 64
        assert done.says(f"Missing option '{missing}'")


@pytest.mark.slow
def test_pictures_of_other_loops(tmp_path: Path) -> None:
    for name, loop in {
        "centre.svg": Loop(0, 1, 0, 1),
        "diverges.svg": Loop(0, 1, 30, 1, 0, "1/10"),
    }.items():
        assert draw_loop(loop, tmp_path / name).stat().st_size > 10_000
