"""Wrong theorems: one constant of a true statement changed, and the run must notice.

A constant that is too small is noticed by a violation, one that is too large by mutants that
nothing refutes any more.  Both are outcomes of a bounded run: landmarks, controls and 100 drawn
models.  A constant that moves a pole onto a drawn model, 1/(1/2 - gamma) at gamma = 1/2, is a
violation: the statement has no value there, so it is not true there.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sympy

from holdfast.theory import Both, Relation, Sign, Theorem
from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.summary import summarise
from holdfast.verify.engine.examiner import Kind, Shard, run_shard

NOTICED = (ExitCode.VIOLATION.name, ExitCode.MUTANT_SURVIVED.name)
MODELS = 100
CLAIMS = {
    claim.name: claim
    for claim in shipped()
    if "#" not in claim.name and not claim.theorem.standing.is_false
}


def changed(constant: sympy.Rational) -> Iterator[sympy.Rational]:
    """Twice, half, one more: what differs from the constant."""
    yield from (value for value in (2 * constant, constant / 2, constant + 1) if value != constant)


def rewritten(tree: Any) -> Iterator[sympy.Expr]:
    """The tree with one of its rational constants or exponents changed, wherever that occurs."""
    if isinstance(tree, sympy.Rational):
        yield from changed(tree)
    for index, child in enumerate(tree.args):
        for other in rewritten(child):
            arguments = (*tree.args[:index], other, *tree.args[index + 1 :])
            yield tree.func(*arguments)


def wrong_sides(side: sympy.Expr) -> Iterator[sympy.Expr]:
    """Every constant inside, and the coefficient in front of the whole."""
    if side != 0:
        yield from (2 * side, side / 2)
    yield from rewritten(side)


def wrong_relations(part: Relation) -> Iterator[Relation]:
    for left in wrong_sides(part.left):
        yield replace(part, left=left)
    for right in wrong_sides(part.right):
        yield replace(part, right=right)


def plants(theorem: Theorem) -> list[Theorem]:
    """The theorem with one wrong constant, in every way, each statement once.

    A change that makes a quantity disappear, or divides by zero, is no constant to get wrong.
    """
    found: dict[str, Theorem] = {}
    for index, part in enumerate(theorem.parts):
        for wrong in wrong_relations(part):
            if wrong.left.has(sympy.zoo, sympy.nan) or wrong.right.has(sympy.zoo, sympy.nan):
                continue
            parts = [*theorem.parts[:index], wrong, *theorem.parts[index + 1 :]]
            relation = Both(*parts) if len(parts) > 1 else parts[0]
            if relation.quantities == theorem.relation.quantities and wrong != part:
                found.setdefault(str(relation), replace(theorem, relation=relation))
    return list(found.values())


def equivalent(original: Theorem, planted: Theorem) -> bool:
    """Whether the changed part says the same: q == 0 and c q == 0 for a constant c != 0."""
    for old, new in zip(original.parts, planted.parts, strict=True):
        if old != new:
            factor = sympy.cancel((new.left - new.right) / (old.left - old.right))
            return old.sign in (Sign.EQ, Sign.NE) and bool(factor.is_Rational and factor != 0)
    raise AssertionError("nothing was planted")


def outcome(claim: Claim) -> str:
    """How the bounded run ends; it stops at a violation, which nothing outweighs."""
    shards = [
        Shard(claim.name, Kind.LANDMARKS, 0, len(claim.family.landmarks), 0),
        Shard(claim.name, Kind.DRAWN, 0, MODELS, 0),
        *(Shard(claim.name, Kind.CONTROL, 0, 400, 0, name) for name in claim.family.controls),
    ]
    results = []
    for shard in shards:
        results.append(run_shard(claim, shard))
        summary = summarise(claim, results)
        if summary.violations:
            return ExitCode.VIOLATION.name
        if summary.error:
            return summary.error
    return summarise(claim, results).exit_code.name


def planted_claims(name: str) -> list[Claim]:
    theorem = CLAIMS[name].theorem
    return [
        replace(CLAIMS[name], theorem=planted)
        for planted in plants(theorem)
        if not equivalent(theorem, planted)
    ]


def unnoticed(claims: list[Claim]) -> list[str]:
    ends = {str(claim.theorem.relation): outcome(claim) for claim in claims}
    return [f"{statement}: {end}" for statement, end in ends.items() if end not in NOTICED]


SOME = {
    "cmdp/strong-duality": (0, 3),
    "cmdp/multiplier-bound": (0, 5),
    "cmdp/infeasibility": (0, 4),
    "cmdp/vertices": (1,),
    "trust-region/worst-case-violation": (2,),
    "model-based/pessimism": (6,),
    "primal-dual/telescoping": (1, 6),
    "concentration/hoeffding": (2,),
    "poisoning/lower-bound": (0, 4),
    "poisoning/rounding": (1, 12),
    "reward-learning/stability": (0, 3),
}
"""Claim -> numbers of the plants in the fast suite."""


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, numbers in SOME.items() for number in numbers]
)
def test_some_wrong_constants_are_noticed(name: str, number: int) -> None:
    assert unnoticed([planted_claims(name)[number]]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", CLAIMS)
def test_every_wrong_constant_is_noticed(name: str) -> None:
    assert outcome(CLAIMS[name]) == ExitCode.AS_EXPECTED.name
    claims = planted_claims(name)
    assert claims
    assert unnoticed(claims) == []


@pytest.mark.parametrize("name", SOME)
def test_nothing_planted_nothing_noticed(name: str) -> None:
    """The same run on the true statement ends as expected, or noticing would mean nothing."""
    assert outcome(CLAIMS[name]) == ExitCode.AS_EXPECTED.name


def test_plants_of_a_small_statement() -> None:
    """mass == 1/(1 - gamma): 2 for the left coefficient, 2 for the right; 2 more for the 1, 3 for
    the exponent -1 less the one that drops gamma, 3 for the coefficient -1 less one; residual == 0
    gives only residual == 1 and the two that say the same."""
    found = [str(planted.parts[0]) for planted in plants(CLAIMS["cmdp/occupancy"].theorem)]
    changed_first = [statement for statement in found if statement != "mass == 1/(1 - gamma)"]
    assert "mass == 1/(2 - gamma)" in changed_first
    assert "mass == (1 - gamma)**(-2)" in changed_first
    assert "2*mass == 1/(1 - gamma)" in changed_first
    assert len(changed_first) == 2 + 2 + 2 + 2 + 2
