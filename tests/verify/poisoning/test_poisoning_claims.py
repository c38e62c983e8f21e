"""Golden numbers of the statements on label flips, and how often their false variants fall."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import product

import pytest

from holdfast.solvers import Vector
from holdfast.solvers.poisoning import (
    FlipProblem,
    dual_value,
    lower_bound,
    mixture,
    one_direction,
    solve_flips,
    solve_unboxed_flips,
)
from holdfast.solvers.poisoning.flips.closed_forms import size
from holdfast.verify.binding.claims import Claim, NamedMutant, shipped
from holdfast.verify.binding.draws import PhiloxDraw
from holdfast.verify.binding.family import OutOfScope
from holdfast.verify.binding.values import Values
from holdfast.verify.engine.comparison import CompiledRelation
from holdfast.verify.kernel import check
from holdfast.verify.poisoning import landmarks as marks
from holdfast.verify.poisoning.claims import least_cost, mixtures
from holdfast.verify.poisoning.families import flips as family
from holdfast.verify.poisoning.families.flips import flips, tabular_class
from holdfast.verify.search.counterexample import Refuter, certify, certify_witness
from holdfast.verify.search.shrink import shrink

F = Fraction
CLAIMS = {claim.name: claim for claim in shipped()}
INSTANCES = 400


def named(name: str) -> tuple[Claim, NamedMutant]:
    found = [(c, one) for c in CLAIMS.values() for one in c.named_mutants if one.name == name]
    return found[0]


# -- golden numbers
@pytest.mark.parametrize(("name", "cost", "distance", "lower"), [
    ("single", 1, 1, 1),
    ("heavy", 2, 2, 2),
    ("undecided", F(1, 2), F(1, 2), F(1, 2)),
    ("nothing", 0, 0, 0),
    ("free", 0, 1, 0),
    # p = d on the second pair: 1^2/1
    ("blank", 1, 2, 1),
    # p = (-1/2, -1/2): (1/2)/(1/2)
    ("duplicate", 1, 1, 1),
    # d = (0, -1) and a = (1, -1): p = a/2, (1/2)/(1/2)
    ("opposite", 1, 1, 1),
    # a = (1, 2, 1) and d = (-1, 0, -1): a.d = -2, p = -a/3: (6/9)/(2/3)
    ("dependent", 1, 2, 1),
    # zeta = d = p: 2/1
    ("fewer", 2, 2, 2),
    # pair 3 does not count: a = (1, 1), a.d = -2, p = (-1, -1): 2/1
    ("weighted", 2, 2, 2),
    ("saving", 1, 2, 1),
    # p = (-4/3, -2/3, -2/3): (24/9)/(4/3)
    ("boxed", 3, 3, 2),
    # p = (7/20, -7/40): (245/1600)/(7/20) = 7/16
    ("outside", F(7, 16), F(5, 8), F(7, 16)),
    # b = -11/8 needs 11/16 of the first; p = (11/20, -11/40): (605/1600)/(11/20) = 11/16
    ("line only", F(11, 16), F(7, 8), F(11, 16)),
])  # fmt: skip
def test_edge_cases(name: str, cost: Fraction, distance: Fraction, lower: Fraction) -> None:
    problem = marks.PROBLEMS[name]()
    assert solve_flips(problem).value == cost
    assert least_cost.distance(problem) == distance
    assert lower_bound(problem) == lower


def test_the_box_binds() -> None:
    """Without the box the first of phi = (2, 1, 1) does it alone, at 2; see `boxed`."""
    problem = marks.boxed()
    assert solve_unboxed_flips(problem).value == 2
    best = solve_flips(problem)
    assert least_cost.gain(problem, best.dual) == 4
    assert least_cost.charge(problem, best.dual) == 1


def test_the_upper_bound_is_attained() -> None:
    """Shares, overshoot and slack are derived in `outside`."""
    mixed = mixture(marks.outside())
    assert (mixed.worst, mixed.slack) == (F(7, 40), F(1, 8))
    assert mixed.share == mixed.line_search == F(7, 12)
    assert mixed.upper_bound() == F(7, 16)


def test_the_smaller_share_may_cost_more() -> None:
    """Derived in `line_only`: 13/16 at the share 1/16 against 71/88 at 1/11."""
    mixed = mixture(marks.line_only())
    assert (mixed.line_search, mixed.share) == (F(1, 16), F(1, 11))
    assert size(mixed.changes(F(1, 16)), "l1") == F(13, 16)
    assert mixed.upper_bound() == mixed.tighter_bound() == F(71, 88)


def test_a_pair_of_weight_zero_does_not_spoil_the_upper_bound() -> None:
    """It has no room, which says nothing of how far inside the target's changes are."""
    problem = marks.outside()
    rows = [[*row.fractions(), F(5)] for row in problem.features]
    wider = FlipProblem.of(rows, 0, [F(1, 2), F(1, 8), F(1)], [1, 1, 0])
    assert mixture(wider).upper_bound() == mixture(problem).upper_bound() == F(7, 16)
    assert mixtures.overshoot(wider, wider.displacement) == F(-1, 8)


def test_rounding_is_attained_in_the_moments() -> None:
    """(15, 1/2, 1/2) squared is 451/2, derived in `spread`."""
    (values,) = CLAIMS["poisoning/rounding"].evaluate(marks.spread(), 1)
    found = {quantity.name: value for quantity, value in values.items()}
    assert found["residual"] == F(451, 2)
    assert found["n_fractional"] == 3
    assert found["cost"] - found["cost_rounded"] == F(3, 2)


def test_one_equation_promises_less() -> None:
    """11/30 against 8/15, derived in `tabular_promise`."""
    case = marks.tabular_promise()
    assert case.problem.target.fractions() == (F(2, 3), F(4, 5))
    found = one_direction(case.problem, case.scores)
    assert found.value == F(11, 30)
    assert case.problem.labels_after(found.changes).fractions() == (1, F(19, 30))
    assert solve_flips(case.problem).value == F(8, 15)


# -- certificates
def test_the_joint_reading_is_refuted_by_two_certificates() -> None:
    claim = CLAIMS["adaptive-poisoning/joint-argmin"]
    seen = Refuter(claim).refute(claim.family.landmark("promise"))
    assert seen is not None
    certified = certify(claim, seen.case, seen.part, seen.values)
    assert certified.report.accepted
    assert (certified.report.given, certified.report.proved) == (0, 2)


def test_the_joint_reading_shrinks_to_two_pairs() -> None:
    """One pair with a score leaves no choice; beside one without (label 1/2) it is moved for both.

    From labels 1 to (2/3, 1/2): the equation asks for the first change of -1/3 only, and d costs
    1/3 + 1/2 = 5/6.
    """
    claim = CLAIMS["adaptive-poisoning/joint-argmin"]
    draw = PhiloxDraw("shrink", 0)
    claim.family.draw(draw)
    shrunk = shrink(claim, draw.trace, examples=500)
    assert shrunk is not None
    (case,) = shrunk.case
    assert case.problem.target.fractions() == (F(2, 3), F(1, 2))
    values = {quantity: F(value) for quantity, value in shrunk.observation.values.items()}
    assert values == {"cost_trained": F(5, 6), "cost_one": F(1, 3)}


@pytest.mark.parametrize("name", marks.PROBLEMS)
def test_costs_carry_their_proofs(name: str) -> None:
    problem = marks.PROBLEMS[name]()
    for found in (solve_flips(problem), solve_flips(problem, "linf"), solve_unboxed_flips(problem)):
        number = least_cost.proved(found)
        enclosure = check(number.document()).enclosure
        assert enclosure is not None
        assert enclosure.lo == enclosure.hi == number == found.value


@pytest.mark.parametrize("name", [
    "T1d-swapped", "T2-mean", "T2-distance", "T3-projection", "T3-swapped", "T3'-cheaper",
    "X4-always-saves",
])  # fmt: skip
def test_witnesses_are_accepted_by_the_kernel(name: str) -> None:
    assert certify_witness(named(name)[1]).report.accepted


# -- families
def drawn(number: int, of: family.Family | None = None) -> FlipProblem:
    (problem,) = (of or flips()).draw(PhiloxDraw("four hundred", number))
    return problem


def test_the_family_has_every_kind() -> None:
    problems = [drawn(i) for i in range(INSTANCES)]
    assert sum(problem.rank < problem.n_features for problem in problems) > INSTANCES // 10
    assert sum(problem.weights is not None for problem in problems) > INSTANCES // 10
    assert sum(problem.n_pairs > 2 * problem.n_features for problem in problems) > INSTANCES // 10
    assert any(not any(problem.columns()[-1]) for problem in problems)
    assert any(problem.columns()[-1] == problem.columns()[0] != () for problem in problems)
    hard = [{*problem.target.fractions()} <= {0, 1} for problem in problems]
    assert INSTANCES // 5 < sum(hard) < INSTANCES // 2
    sure = [{*problem.benign.fractions()} == {1} for problem in problems]
    assert INSTANCES // 4 < sum(sure) < 3 * INSTANCES // 4


def test_users_problems_are_taken_up_to_a_size() -> None:
    problem = marks.boxed()
    claim = CLAIMS["poisoning/chain"]
    assert claim.family.on(problem).draw(PhiloxDraw("own")) == (problem,)
    wide = problem.with_features([[1, 2, 3]] * (family.LARGEST // 3 + 1))
    with pytest.raises(OutOfScope, match="feature entries; solved exactly up to 20000"):
        claim.family.on(wide)
    with pytest.raises(OutOfScope, match="features that training changes, not of FlipProblem"):
        CLAIMS["adaptive-poisoning/expressive"].family.on(problem)
    trained = marks.tabular_promise()
    assert CLAIMS["adaptive-poisoning/expressive"].family.on(trained).draw(PhiloxDraw()) == (
        trained,
    )


def test_labels_0_and_1_are_on_every_grid() -> None:
    with pytest.raises(OutOfScope, match="on every grid"):
        family.other_copies(PhiloxDraw("grid"), marks.boxed())


# -- 400 instances
@pytest.mark.parametrize("label", ["poisoning/chain", "poisoning/duality"])
def test_chain_and_dual_on_400_instances(label: str) -> None:
    """Exact, so that one violation is one too many."""
    refuter = Refuter(CLAIMS[label])
    for number in range(INSTANCES):
        case = CLAIMS[label].family.draw(PhiloxDraw("four hundred", number))
        assert refuter.refute(case) is None, number


def test_optima_are_feasible_and_meet_their_duals() -> None:
    """Feasible at the cost of a dual value: optimal, whatever found it."""
    for number in range(INSTANCES // 4):
        problem = drawn(number)
        for norm in ("l1", "l2", "linf"):
            best = solve_flips(problem, norm)
            assert problem.moments(best.changes) == problem.moment
            assert mixtures.overshoot(problem, best.changes) <= 0
            assert size(best.changes, norm) == best.value
            assert dual_value(problem, best.dual.fractions(), norm) == best.value
        y = family.multiplier(PhiloxDraw("y", number), problem)
        value = least_cost.gain(problem, y) - least_cost.charge(problem, y)
        assert value == dual_value(problem, y.fractions())


def on_case(claim: str) -> Callable[[int], Iterator[Values]]:
    """What a claim yields on instance number i of its own family."""

    return lambda number: iter(_values(claim, number))


@cache
def _values(claim: str, number: int) -> tuple[Values, ...]:
    """Once, for all mutants of a claim."""
    bound = CLAIMS[claim]
    return tuple(bound.evaluate(*bound.family.draw(PhiloxDraw("four hundred", number))))


def on_problem(make: Callable[[FlipProblem], Values]) -> Callable[[int], Iterator[Values]]:
    """What a false statement says of instance number i."""
    return lambda number: iter([make(drawn(number))])


MUTANTS: dict[str, tuple[Callable[[int], Iterator[Values]], int]] = {
    "T1d-dropped": (on_case("poisoning/duality"), 100),
    "T1d-swapped": (
        on_problem(lambda problem: least_cost.swapped_box(*marks.with_best(problem))),
        100,
    ),
    "T1d-unboxed": (on_case("poisoning/chain"), 100),
    "T2-half-more": (on_case("poisoning/lower-bound"), 200),
    "T2-twice": (on_case("poisoning/lower-bound"), 300),
    "T2-tight": (on_case("poisoning/lower-bound"), 100),
    "T2-mean": (on_problem(least_cost.mean_for_largest), 200),
    "T2-distance": (on_problem(least_cost.unprojected), 50),
    "T3-half": (on_case("poisoning/upper-bound"), 100),
    "T3-tight": (on_case("poisoning/upper-bound"), 50),
    "T3-projection": (on_problem(mixtures.projection_alone), 20),
    "T3-swapped": (on_problem(mixtures.swapped_weights), 50),
    "P4-reversed": (on_case("poisoning/monotone"), 100),
    "X1-one-less": (on_case("poisoning/vertex"), 50),
    "X1-integral": (on_case("poisoning/vertex"), 200),
    "X2-quarter": (on_case("poisoning/rounding"), 1),
    "X2-quarter-moments": (on_case("poisoning/rounding"), 1),
    "T6-no-capacity": (on_case("adaptive-poisoning/one-direction"), 100),
}
"""Mutant -> (values on instance number i, how often it must fall at least)."""


@pytest.mark.parametrize("name", MUTANTS)
def test_how_often_a_false_statement_falls(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    values, least = MUTANTS[name]
    relation = CompiledRelation(named(name)[1].relation)
    count = 0
    for number in range(INSTANCES):
        seen = [
            {quantity.name: F(value) for quantity, value in one.items()} for one in values(number)
        ]
        count += any(relation.refutes(one) for one in seen)
    record_property(name, count)
    print(f"{name}: refuted on {count} of {INSTANCES}")
    assert count >= least


def test_how_often_the_line_search_alone_is_dearer() -> None:
    """Two pairs, phi = (-2, 1), all benign labels in quarters and targets in eighths: rare, which
    is why instances drawn at random do not show it."""
    relation = CompiledRelation(named("T3'-cheaper")[1].relation)
    quarters, eighths = ([F(k, n) for k in range(n + 1)] for n in (4, 8))
    found = []
    for benign in product(quarters, repeat=2):
        for target in product(eighths, repeat=2):
            values = mixtures.line_alone(FlipProblem.of([[-2, 1]], benign, target))
            if relation.refutes({q.name: F(value) for q, value in values.items()}):
                found.append((benign, target))
    print(f"T3'-cheaper: refuted on {len(found)} of {25 * 81}")
    known = marks.line_only()
    assert (known.benign.fractions(), known.target.fractions()) in found


def test_thresholds_above_zero_are_improvable() -> None:
    """The control of X4, and thresholds below zero, which never are."""
    counts = [0, 0]
    for negative in (True, False):
        over = family.thresholds(negative=negative)
        for number in range(INSTANCES // 2):
            problem = drawn(number, over)
            counts[negative] += solve_flips(problem).value < least_cost.distance(problem)
    print(f"thresholds above zero: improvable on {counts[False]} of {INSTANCES // 2}")
    assert counts[True] == 0
    assert counts[False] > INSTANCES // 8


def test_a_saving_grows_with_the_number_of_pairs() -> None:
    """A tabular class saves nothing, one feature nearly everything: phi_i = 1 for all but one."""
    for pairs in (3, 5, 8):
        rows = [[1] * (pairs - 1) + [pairs - 1]]
        problem = FlipProblem.of(rows, 1, [0] * (pairs - 1) + [1])
        assert solve_flips(problem).value == 1  # the last one alone, for pairs - 1 flips
        assert least_cost.distance(problem) == pairs - 1
        powers = [1] * pairs
        free = tabular_class(powers, [F(1)] * pairs).problem
        assert solve_flips(free).value == least_cost.distance(free) == F(pairs, 3)


def test_the_dual_bounds_from_anywhere() -> None:
    """Also a y that is no optimum, and one for which the box charges more than is gained."""
    problem = marks.boxed()
    # t = -2 (2, 1, 1): gain 8, charge 3 + 1 + 1; t = 0: nothing; t = (2, 1, 1): gain -4, no room up
    for y, value in ((-2, 3), (0, 0), (1, -4), (F(-1, 2), 2)):
        assert dual_value(problem, [y]) == value <= 3
        bound = least_cost.gain(problem, Vector.of([y])) - least_cost.charge(
            problem, Vector.of([y])
        )
        assert bound == value


def test_rounding_a_heavy_pair_moves_the_cost_by_its_weight() -> None:
    """By 2/2 for a pair of weight 2, which a bound without weights, k/(2m) = 1/2, forbids."""
    claim = CLAIMS["poisoning/rounding"]
    (values,) = claim.evaluate(marks.heavy_half(), 1)
    found = {quantity.name: value for quantity, value in values.items()}
    assert abs(found["cost_rounded"] - found["cost"]) == 1 > F(found["n_fractional"], 2)
