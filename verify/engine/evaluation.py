"""What a claim yields on a case, and whether it yields the same on the same case made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from itertools import islice

from holdfast.theory import Quantity

from ..binding.claims import Claim
from ..binding.description import digest, value_text
from ..binding.family import Case, OutOfScope
from ..binding.user_code import blamed
from ..binding.values import ClaimError, Count, Mean, Value, Values, checked
from .ledger import Ledger, interval


def claim_values(
    claim: Claim, label: str, case: Case, *, domains: bool = True
) -> Iterator[dict[Quantity, Value]]:
    """What the claim yields on a case, checked against its theorem.

    Raises
    ------
    ClaimError: if the claim raises, or its values do not fit; OutOfScope: as the claim does.
    """
    where = f"{claim.name} on {label}"
    blame = partial(blamed, f"{where}: the claim", claim.file)
    with blame():
        found = claim.evaluate(*case)
        if not isinstance(found, Iterator):
            raise ClaimError(
                f"{where}: a claim yields {{quantity: value}}; this returned {found!r}"
            )
    while True:
        with blame():
            try:
                values = next(found)
            except StopIteration:
                return
            known = checked(where, claim.theorem.quantities, values, domains=domains)
        yield known


def environment(values: Values, ledger: Ledger, test: int) -> tuple[dict[str, Value], Fraction]:
    """Values by name, samples turned into intervals, and the alpha that these were charged."""
    sampled = sum(isinstance(value, Count | Mean) for value in values.values())
    named: dict[str, Value] = {}
    alpha = Fraction(0)
    for quantity, value in values.items():
        if isinstance(value, Count | Mean):
            share = ledger.allowance(test) / sampled
            alpha += share
            named[quantity.name] = interval(value, share)
        else:
            named[quantity.name] = value
    return named, alpha


def texts(values: Values) -> dict[str, str]:
    """Values by name, as the reports show them."""
    return {quantity.name: value_text(value) for quantity, value in values.items()}


def confirm(
    claim: Claim,
    label: str,
    case: Case,
    make: Callable[[], Case],
    seen: Mapping[int, dict[str, str]],
) -> None:
    """See that what was found on a case is found again on the same case made anew.

    case: as the claim left it; seen: texts of what it yielded, by the number of the
        set of values.

    Raises
    ------
    ClaimError: if the claim now yields other values, or changes its case, or if what makes the
        case makes another one: then the values found are not those of the case that is shown.
    """
    again = make()
    mark = digest(again)
    try:
        found = islice(claim_values(claim, label, again), max(seen) + 1)
        values = dict(enumerate(map(texts, found)))
    except OutOfScope as outside:
        raise ClaimError(
            f"{claim.name} on {label}: the claim is not a function of its case: it yielded values "
            f"at first, and called the same case, made again, out of scope ({outside})"
        ) from outside
    for first, second in _differing(seen, values):
        raise ClaimError(
            f"{claim.name} on {label}: the claim is not a function of its case: it yielded {first} "
            f"at first, and {second} on the same case made again; let it and its family depend on "
            "nothing else, such as earlier calls or the module random"
        )
    if digest(again) != mark:
        raise ClaimError(
            f"{claim.name} on {label}: the claim changes its case, so the case that would be shown "
            "does not give the values found; let it work on a copy"
        )
    if digest(case) != mark:
        raise ClaimError(
            f"{claim.name} on {label}: the family makes another case from the same drawn integers; "
            "let it draw from nothing else, such as the module random"
        )


def _differing(
    seen: Mapping[int, dict[str, str]], again: Mapping[int, dict[str, str]]
) -> Iterator[tuple[str, str]]:
    """The sets of values that are not the same, in what they differ."""
    for number, first in seen.items():
        second = again.get(number, {})
        names = [name for name in first if first[name] != second.get(name)]
        if names:
            yield (
                ", ".join(f"{name} = {first[name]}" for name in names),
                ", ".join(f"{name} = {second.get(name, 'nothing')}" for name in names),
            )
