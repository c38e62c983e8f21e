"""Every solver of every pillar answers in one shape: status, bounds, statistics, certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module

import pytest

from holdfast import solvers
from holdfast.solvers import (
    Limits,
    ModelError,
    Status,
    chance,
    enclose,
    from_arrays,
    poisoning,
    solve,
    solve_by_chord,
)
from holdfast.solvers.chance.windows.optimum import solve_windows
from holdfast.solvers.chance.windows.problem import WindowProblem
from holdfast.solvers.cmdp.two_discounts import solve_two_discounts
from holdfast.solvers.solution import Answer, short
from holdfast.verify.kernel import check

from .conftest import two_states

F = Fraction
HALF, TENTH = F(1, 2), F(1, 10)
G1 = two_states([[0, 1, 0, 2]], [F(3, 2)])
STRICT = G1.with_budgets(-1)  # of costs that are not negative
NOTHING = Limits(seconds=1e-9)
#: One state: risking pays 1 and visits the unsafe state with chance 1/10, else nothing.
RISK = from_arrays([[[1 - TENTH, TENTH], [1, 0]], [[0, 1]] * 2], [[1, 0], [0, 0]], discount=HALF,
                   initial=[1, 0])  # fmt: skip
SURE = from_arrays([[[0, 1]], [[0, 1]]], [[0], [0]], discount=HALF, initial=[1, 0])
ONCE = chance.ChanceProblem(RISK, [1], 1)
FLIPS = poisoning.FlipProblem.of([[1, 2, 4]], 1, [0, 1, 1])
FLOATS = ([[1.0, 2.0, 4.0]], 1.0, [0.0, 1.0, 1.0])


def stop(*_: object) -> None:
    raise KeyboardInterrupt


@dataclass(frozen=True)
class Case:
    """A solver on one problem, how it shall end, the optimum, and what the certificate proves.

    optimum: by hand, or None where there is none; proved: the number in the certificate's
    conclusion; "infeasible" where it proves that, None where there is no certificate.
    """

    run: Callable[[], Answer]
    status: Status
    optimum: Fraction | None
    proved: Fraction | str | None


#: G1 is worth 7/2 at 3/2; without a bound V0 = 2 + V0/2 = 4, V1 = 3 + (V0 + V1)/4 = 16/3, in the
#: mean 14/3.  RISK: at half the level that one risk needs, half of it; a fading hit at
#: 1/22 is half of always risking, 20/11; one window at level 1/20 is met by risking half the time,
#: for ever: V = 1/2 + 1/2 (1 - 1/20) V = 20/21.  Flips: 4 zeta = -1 moves least in sum,
#: zeta = -phi/21 in squares, 1/7 each in the maximum.
CASES = {
    "solve": Case(lambda: solve(G1), Status.EXACT, F(7, 2), F(7, 2)),
    "solve, infeasible": Case(lambda: solve(STRICT), Status.INFEASIBLE, None, "infeasible"),
    "solve, undecided": Case(lambda: solve(G1, NOTHING), Status.UNDECIDED, F(7, 2), None),
    "solve_by_chord": Case(lambda: solve_by_chord(G1), Status.EXACT, F(7, 2), F(7, 2)),
    "solve_by_chord, infeasible": Case(
        lambda: solve_by_chord(STRICT), Status.INFEASIBLE, None, "infeasible"
    ),
    "solve_by_chord, slack": Case(
        lambda: solve_by_chord(G1.with_budgets(9)), Status.EXACT, F(14, 3), F(14, 3)
    ),
    "solve_two_discounts": Case(
        lambda: solve_two_discounts(G1, HALF), Status.EXACT, F(7, 2), None
    ),
    "enclose, small": Case(lambda: enclose(G1), Status.EXACT, F(7, 2), F(7, 2)),
    "enclose": Case(lambda: enclose(G1, method="scale"), Status.ENCLOSED, F(7, 2), F(7, 2)),
    "enclose, wide": Case(
        lambda: enclose(G1, method="scale", width=F(1, 10**30)), Status.WIDE, F(7, 2), F(7, 2)
    ),
    "enclose, infeasible": Case(
        lambda: enclose(STRICT, method="scale"), Status.INFEASIBLE, None, "infeasible"
    ),
    "chance.solve": Case(lambda: chance.solve(ONCE, TENTH / 2), Status.EXACT, HALF, HALF),
    "chance.solve, infeasible": Case(
        lambda: chance.solve(chance.ChanceProblem(SURE, [1], 1), HALF),
        Status.INFEASIBLE, None, "infeasible",
    ),
    "chance.solve_by_flag_program": Case(
        lambda: chance.solve_by_flag_program(ONCE, TENTH / 2), Status.EXACT, HALF, HALF
    ),
    "chance.enclose_eventual": Case(  # the optimum is 1: see the tests of the eventual hit
        lambda: chance.enclose_eventual(RISK, [1], TENTH, horizon=3), Status.ENCLOSED, F(1), F(1)
    ),
    "chance.enclose_eventual, infeasible": Case(
        lambda: chance.enclose_eventual(SURE, [1], TENTH, horizon=3), Status.INFEASIBLE, None, None
    ),
    "chance.solve_first_hit": Case(
        lambda: chance.solve_first_hit(RISK, [1], F(1, 22)), Status.EXACT, F(10, 11), F(10, 11)
    ),
    "chance.solve_windows": Case(
        lambda: solve_windows(WindowProblem(RISK, (1,), 1, F(1, 20))), Status.EXACT,
        F(20, 21), F(20, 21),
    ),
    "poisoning.solve_flips": Case(
        lambda: poisoning.solve_flips(FLIPS), Status.EXACT, F(1, 4), F(-1, 4)
    ),
    "poisoning.solve_flips, l2": Case(
        lambda: poisoning.solve_flips(FLIPS, "l2"), Status.EXACT, F(1, 21), None
    ),
    "poisoning.solve_flips, linf": Case(
        lambda: poisoning.solve_flips(FLIPS, "linf"), Status.EXACT, F(1, 7), F(-1, 7)
    ),
    "poisoning.solve_unboxed_flips": Case(
        lambda: poisoning.solve_unboxed_flips(FLIPS), Status.EXACT, F(1, 4), F(-1, 4)
    ),
    "poisoning.enclose_flips": Case(
        lambda: poisoning.enclose_flips(*FLOATS), Status.ENCLOSED, F(1, 4), None
    ),
    "poisoning.enclose_flips, interrupted": Case(
        lambda: poisoning.enclose_flips(*FLOATS, progress=stop), Status.INTERRUPTED, F(1, 4), None
    ),
    "poisoning.fit_reward": Case(
        lambda: poisoning.fit_reward([[1.0, -1.0]], [1.0, 1.0]), Status.APPROXIMATE, None, None
    ),
    "poisoning.fit_reward, separable": Case(
        lambda: poisoning.fit_reward([[1.0, 2.0]], [1.0, 1.0]), Status.UNATTAINED, None, None
    ),
}  # fmt: skip


def shape(found: Answer, optimum: Fraction | None) -> None:
    """What holds of every answer."""
    assert isinstance(found, Answer)
    assert isinstance(found.status, Status)
    assert found.statistics is not None
    ends = found.lower, found.upper
    known = [end for end in ends if end is not None]
    assert known == sorted(known)
    if found.status is Status.EXACT:
        assert found.lower is not None and found.lower == found.upper == found.value
    elif found.status in (Status.ENCLOSED, Status.WIDE):
        assert len(known) == 2
    elif found.status not in (Status.UNDECIDED, Status.INTERRUPTED):
        assert not known
    if optimum is not None:
        assert found.lower is None or found.lower <= optimum
        assert found.upper is None or found.upper >= optimum


@pytest.mark.parametrize("name", CASES)
def test_an_answer_has_its_status_bounds_and_certificate(name: str) -> None:
    case = CASES[name]
    found = case.run()
    assert found.status is case.status
    if not name.startswith("poisoning.fit_reward"):  # which shows the reward itself
        assert repr(found).startswith(f"<{type(found).__name__} {found.status.name}, ")
        assert len(repr(found)) < 120, "fractions fill screens"
    shape(found, case.optimum)
    if case.proved is None:
        with pytest.raises(ModelError):
            found.certificate()
        return
    document = found.certificate()
    report = check(document)
    assert report.accepted
    assert (document["kind"] == "cmdp-infeasible") == (case.proved == "infeasible")
    if isinstance(case.proved, Fraction):
        assert report.enclosure is not None
        assert report.enclosure.lo <= case.proved <= report.enclosure.hi


#: Public solvers that answer otherwise, and why.
OTHERWISE = {
    "solve_linear_program": "a tool below the pillars, with a status of its own",
    "enclose_reward": "an enclosure of a vector, entry by entry, in balls",
}


def test_every_public_solver_is_among_the_cases() -> None:
    packages = {"": solvers, "chance.": chance, "poisoning.": poisoning}
    public = {
        prefix + name
        for prefix, package in packages.items()
        for name in package.__all__
        if name.split("_")[0] in ("solve", "enclose", "estimate", "train", "fit")
    }
    covered = {name.split(",")[0] for name in CASES}
    others = {name for name in public if name.removeprefix("poisoning.") in OTHERWISE}
    assert len(others) == len(OTHERWISE)
    assert public - others <= covered


@dataclass(frozen=True)
class Wrong:
    """Ends that differ, under the word for an exact optimum."""

    status: Status = Status.EXACT
    value: Fraction | None = None
    lower: float | None = 1
    upper: float | None = 2
    statistics: tuple[()] = ()

    def certificate(self) -> dict[str, object]:
        return {}


@pytest.mark.parametrize("wrong", [
    Wrong(), Wrong(value=F(1)), Wrong(Status.ENCLOSED, lower=F(3)), Wrong(Status.WIDE, upper=None),
    Wrong(Status.INFEASIBLE),
])  # fmt: skip
def test_the_shape_refuses_a_status_that_lies(wrong: Wrong) -> None:
    shape(Wrong(Status.ENCLOSED), F(3, 2))
    with pytest.raises(AssertionError):
        shape(wrong, None)  # type: ignore[arg-type]
    with pytest.raises(AssertionError):
        shape(Wrong(Status.ENCLOSED), F(5, 2))


def test_other_things_are_no_answers() -> None:
    assert not isinstance(solve(G1).statistics, Answer)
    assert not isinstance(Fraction(1), Answer)


def test_an_answer_is_shown_by_status_and_value() -> None:
    assert repr(solve(G1)) == "<Solution EXACT, value 3.5>"
    assert repr(solve(STRICT)) == "<Solution INFEASIBLE, no value>"
    assert repr(solve(G1, NOTHING)) == "<Solution UNDECIDED, no value>"
    wide = chance.enclose_eventual(RISK, [1], TENTH, horizon=3)
    assert repr(wide).startswith("<EventualSolution ENCLOSED, value between 1 and 1.")
    vast = F(10**400, 3)  # beyond doubles
    assert short(vast) == "3.33333e+399"


@pytest.mark.parametrize("layer", ["theory", "solvers", "verify"])
def test_dir_names_what_is_there(layer: str) -> None:
    """Each name can be had, and the rooms of a layer with solvers or claims are among them."""
    package = import_module(f"holdfast.{layer}")
    names = set(dir(package))
    assert set(package.__all__) <= names
    assert all(hasattr(package, name) for name in names - {"neural"})
    assert layer == "theory" or {"cmdp", "chance", "alignment"} <= names
    with pytest.raises(AttributeError):
        _ = package.no_such_name


@pytest.mark.parametrize("state", ["a", None, 1.0, True, (0,)])
def test_a_state_of_a_policy_is_an_integer(state: object) -> None:
    policy = solve(G1).policy
    assert policy is not None
    with pytest.raises(ModelError, match="is not an integer"):
        _ = policy[state]  # type: ignore[index]
