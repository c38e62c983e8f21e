"""A violation is written down so that the kernel believes it and a person can read it."""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint
import pytest

from holdfast.solvers.models.formats.document import model_from_document
from holdfast.theory import Both, Domain, Le, Provenance, Quantity, Source, Theorem
from holdfast.verify.binding.claims import Claim
from holdfast.verify.binding.family import Family
from holdfast.verify.binding.values import Ball, ClaimError, Count, Values
from holdfast.verify.engine.ledger import Ledger
from holdfast.verify.kernel import Enclosure, Verdict, check, check_file
from holdfast.verify.search.counterexample import Refuter, certify

X = Quantity("x", "first number", Domain.REAL)
Y = Quantity("y", "second number", Domain.REAL)
ORDER = Theorem(
    "demo/order", "x is at most 2 y", Le(X, 2 * Y), Source("nobody", "", Provenance.DERIVED)
)
RECIPROCAL = Theorem(
    "demo/reciprocal",
    "x is at most 1/y, and at most y",
    Both(Le(X, 1 / Y), Le(X, Y)),
    Source("nobody", "", Provenance.DERIVED),
)
THIRD, HALF = Fraction(1, 3), Fraction(1, 2)


def pair(x: Any, y: Any) -> Iterator[Values]:
    yield {X: x, Y: y}


def claim_of(theorem: Theorem = ORDER, evaluate: Any = pair) -> Claim:
    return Claim(theorem, Family("pairs", lambda _: 0), evaluate, f"{theorem.label}#tag")


def refuted(x: Any, y: Any) -> Any:
    seen = Refuter(claim_of()).refute((x, y))
    assert seen is not None
    return seen


def test_exact_values_make_an_accepted_certificate(tmp_path: Path) -> None:
    """3/2 <= 2/3 is false."""
    seen = refuted(Fraction(3, 2), THIRD)
    certified = certify(seen.claim, seen.case, seen.part, seen.values)
    assert certified.report.accepted, certified.report.steps[-1]
    assert certified.report.given == 2
    assert certified.document["values"] == {"x": {"value": "3/2"}, "y": {"value": "1/3"}}
    assert certified.document["notes"]["case"] == ["3/2", "1/3"]
    path = certified.write(tmp_path / "certificates")
    assert path.name.startswith("demo-order-tag-")
    assert check_file(path).accepted


def test_a_corrupted_value_is_rejected() -> None:
    """3/2 <= 2 is true."""
    seen = refuted(Fraction(3, 2), THIRD)
    document = json.loads(json.dumps(dict(certify(seen.claim, seen.case, 0, seen.values).document)))
    document["values"]["y"]["value"] = "1"
    assert not check(document).accepted


def test_values_that_satisfy_the_relation_are_rejected() -> None:
    assert not certify(claim_of(), (1, 1), 0, {"x": Fraction(1), "y": Fraction(1)}).report.accepted


def test_balls_are_written_as_narrow_intervals() -> None:
    """sqrt(2) > 7/5; at 256 bits the interval is narrower than 2^-250."""
    values = {"x": Ball(lambda: flint.arb(2).sqrt()), "y": Fraction(7, 10)}
    certified = certify(claim_of(), (2,), 0, values)
    assert certified.report.accepted
    low, high = (Fraction(certified.document["values"]["x"][end]) for end in ("lo", "hi"))
    assert low**2 < 2 < high**2
    assert high - low < Fraction(1, 2**250)


def test_balls_are_narrowed_until_the_kernel_can_decide() -> None:
    """Rounding sqrt(2) down to a multiple of 2^-400 leaves less than 2^-400 to see."""
    with flint.ctx.workprec(600):
        number = (flint.arb(2).sqrt() * flint.arb(2) ** 400).floor().unique_fmpz()
    below = Fraction(int(number), 2**401)
    values = {"x": Ball(lambda: flint.arb(2).sqrt()), "y": below}
    assert certify(claim_of(), (2,), 0, values).report.accepted


def test_enclosures_are_written_with_their_ends() -> None:
    values = {"x": Enclosure(Fraction(2), Fraction(3), Fraction(1, 100)), "y": HALF}
    certified = certify(claim_of(), (0,), 0, values)
    assert certified.report.accepted
    assert certified.document["values"]["x"] == {"lo": "2", "hi": "3", "alpha": "1/100"}
    assert certified.document["notes"]["alpha"] == "1/100"


def test_a_count_cannot_be_certified() -> None:
    with pytest.raises(TypeError, match="certify the interval"):
        certify(claim_of(), (0,), 0, {"x": Count(3, 4), "y": HALF})


def test_a_counterexample_reads_well() -> None:
    text = str(refuted(Fraction(3, 2), THIRD))
    assert "demo/order#tag, violated: x <= 2*y" in text
    assert "left side   3/2 (1.5)" in text
    assert "right side  2/3 (about 0.6666666667)" in text
    assert "y = 1/3 (about 0.3333333333)  second number" in text


def test_a_model_is_written_out_pair_by_pair() -> None:
    model = model_from_document(
        {
            "kind": "cmdp",
            "n_states": 2,
            "choices": [[0, 0], [0, 1], [1, 0]],
            "transitions": [[[0, 1], [1, 2]], [[1, 1]], [[1, 1]]],
            "discount": "1/2",
            "reward": ["1", "0", "1/7"],
            "costs": [["0", "2", "0"]],
            "budgets": ["3"],
            "initial": ["1", "0"],
            "notes": [],
        }
    )
    claim = claim_of(evaluate=lambda model: iter([{X: Fraction(1), Y: model.discount - 1}]))
    seen = Refuter(claim).refute((model,))
    assert seen is not None
    lines = [line.strip() for line in seen.lines()]
    assert "state 0, action 0: to 0 (1/3), 1 (2/3); reward 1, cost 0" in lines
    assert "state 1, action 0: to 1 (1); reward 1/7, cost 0" in lines


def test_every_part_is_observed_at_every_set_of_values() -> None:
    def twice(x: Any, y: Any) -> Iterator[Values]:
        yield from pair(x, y)
        yield from pair(2 * x, y)

    seen = list(Refuter(claim_of(RECIPROCAL, twice)).observe((HALF, HALF)))
    assert [(one.part, one.outcome.verdict) for one in seen] == [
        (0, Verdict.HOLDS),
        (1, Verdict.TIGHT),
        (0, Verdict.HOLDS),
        (1, Verdict.VIOLATED),
    ]


def test_a_faulty_claim_is_named() -> None:
    with pytest.raises(ClaimError, match="#tag on a case: x <= 1/y is undefined: division"):
        Refuter(claim_of(RECIPROCAL)).refute((1, 0))
    with pytest.raises(ClaimError, match=r"#tag on a case: the claim raised TypeError: .*argument"):
        Refuter(claim_of()).refute((1,))


def test_counts_become_intervals_that_share_the_ledger() -> None:
    """Two tests of one claim spend 1/2 and then 1/6 of the allowance."""
    refuter = Refuter(claim_of(), Ledger(Fraction(1, 10), 1))
    alphas = []
    for _ in range(2):
        (seen,) = refuter.observe((Count(5, 10), 1))
        interval = seen.values["x"]
        assert isinstance(interval, Enclosure)
        assert interval.lo < HALF < interval.hi
        alphas.append(interval.alpha)
    assert alphas == [Fraction(1, 20), Fraction(1, 60)]
