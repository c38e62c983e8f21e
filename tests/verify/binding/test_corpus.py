"""The corpus: what is kept checks again, and a file that does not is an error with its remedy."""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from holdfast.theory import Domain, Le, Provenance, Quantity, Source, Theorem
from holdfast.verify.binding import claims, corpus
from holdfast.verify.binding.claims import Claim, shipped
from holdfast.verify.binding.draws import Draw
from holdfast.verify.binding.family import Family
from holdfast.verify.binding.values import ClaimError, Values
from holdfast.verify.engine.examiner import Kind, Shard, run_shard
from holdfast.verify.kernel import Verdict
from holdfast.verify.search.keeping import check

SHARE = Quantity("share", "n/(n + 1)", Domain.NONNEGATIVE)
BELOW = Theorem(
    "demo/below", "It is below one", Le(SHARE, 1), Source("nobody", "", Provenance.DERIVED)
)
KEPT = corpus.Kept(0, (3,), [3], "3/4", models=10, seed=0, limit="1", along="ratio 1 - 1/(n + 1)")


def values(n: int) -> Iterator[Values]:
    yield {SHARE: Fraction(n, n + 1)}


def claim_in(folder: Path, family: Any = lambda draw: Draw.growing(draw, 1, 3)) -> Claim:
    (folder / "mine.py").touch()
    return Claim(
        BELOW, Family("numbers", family), values, BELOW.label, file=str(folder / "mine.py")
    )


def kept(**changed: Any) -> corpus.Kept:
    from dataclasses import replace

    return replace(KEPT, case=["3"], **changed)


def replayed(claim: Claim) -> Any:
    return run_shard(claim, Shard(claim.name, Kind.CORPUS, 0, 1, seed=0))


def test_what_is_written_is_read_and_replayed(tmp_path: Path) -> None:
    claim = claim_in(tmp_path)
    assert corpus.read(claim) == ()
    assert corpus.write(claim, [kept()]) == tmp_path / "corpus" / "mine.json"
    assert corpus.read(claim) == (kept(),)
    result = replayed(claim)
    assert (result.error, result.models) == ("", 1)
    (found,) = result.findings
    assert (found.case, found.verdict, found.ratio) == ("corpus:0", Verdict.HOLDS, 0.75)


def test_other_claims_of_the_file_stay(tmp_path: Path) -> None:
    claim = claim_in(tmp_path)
    other = Claim(BELOW, claim.family, values, "demo/other", file=claim.file)
    for one in (claim, other, claim):
        corpus.write(one, [kept()])
    assert corpus.read(other) == corpus.read(claim) == (kept(),)


def test_cases_of_what_is_not_claimed_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would be left out without a word, such as those of a claim that was renamed."""
    claim = claim_in(tmp_path)
    monkeypatch.setattr(claims, "_REGISTRY", {claim.name: claim})
    corpus.write(claim, [kept()])
    assert corpus.read(claim) == (kept(),)
    corpus.write(Claim(BELOW, claim.family, values, "demo/old", file=claim.file), [kept()])
    with pytest.raises(
        ClaimError, match=r"keeps cases of 'demo/old', which mine\.py does not claim"
    ):
        corpus.read(claim)


@pytest.mark.parametrize(
    ("changed", "family", "said"),
    [
        ({"ratio": "4/5"}, None, "its ratio is 4/5, and that of its case 0.75"),
        ({}, lambda draw: 1 + draw.growing(1, 3), "its integers draw another case"),
        ({"trace": (2,)}, None, "its integers draw another case"),
    ],
)
def test_a_stale_case_is_an_error_with_file_and_remedy(
    tmp_path: Path, changed: dict[str, Any], family: Any, said: str
) -> None:
    claim = claim_in(tmp_path, family) if family else claim_in(tmp_path)
    corpus.write(claim, [kept(**changed)])
    result = replayed(claim)
    assert said in result.error
    assert str(tmp_path / "corpus" / "mine.json") in result.error
    assert "holdfast hunt demo/below --keep" in result.error


GOOD = {
    "part": 0, "trace": [3], "case": ["3"], "ratio": "3/4",
    "models": 1, "seed": 0, "limit": "", "along": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not complete JSON"),
        ("[]", "does not say that its format"),
        ('{"format": "other", "claims": {}}', "does not say that its format"),
        ('{"format": "holdfast-corpus-1", "claims": []}', "not lists of cases"),
        ('{"format": "holdfast-corpus-1", "claims": {"demo/below": 3}}', "not lists of cases"),
        ('{"format": "holdfast-corpus-1", "claims": NaN}', "NaN"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_damaged_file_is_an_error_with_file_and_remedy(
    tmp_path: Path, text: str, said: str
) -> None:
    claim = claim_in(tmp_path)
    corpus.path_of(claim).parent.mkdir()
    corpus.path_of(claim).write_text(text)
    with pytest.raises(ClaimError, match=said) as caught:
        corpus.read(claim)
    assert "mine.json" in str(caught.value)
    assert "delete it and run holdfast hunt LABEL --keep" in str(caught.value)


def test_a_folder_in_its_place_is_named_with_one_remedy(tmp_path: Path) -> None:
    claim = claim_in(tmp_path)
    corpus.path_of(claim).mkdir(parents=True)
    with pytest.raises(ClaimError, match=r"mine\.json is not .*: it is a folder, a pipe") as caught:
        corpus.read(claim)
    assert str(caught.value).count("restore it") == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"part": 1}, "part is 1, and the theorem has 1"),
        ({"part": True}, "part is 'True', and no int"),
        ({"trace": ["3"]}, "trace is not a list"),
        ({"trace": [0] * 10_001}, "trace is not a list of at most 10000"),
        ({"ratio": "1e999999999"}, "ratio is '1e999999999'"),
        ({"ratio": "5/4"}, "ratio is '5/4', not a number from 0 to 1"),
        ({"ratio": 0.75}, "ratio is"),
        ({"models": "many"}, "models is 'many', and no int"),
        ({"limit": None}, "limit is 'None', and no str"),
        ({"more": 1}, "and nothing else"),
    ],
)
def test_a_foreign_case_is_an_error(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    claim = claim_in(tmp_path)
    corpus.path_of(claim).parent.mkdir()
    document = {"format": corpus.FORMAT, "claims": {claim.name: [{**GOOD, **changed}]}}
    corpus.path_of(claim).write_text(json.dumps(document))
    with pytest.raises(ClaimError, match=said):
        corpus.read(claim)


KNOWN = {
    (claim.name, kept.part): (claim, kept) for claim in shipped() for kept in corpus.read(claim)
}


@pytest.mark.parametrize("place", KNOWN, ids=str)
def test_every_case_of_the_corpus_checks(place: tuple[str, int]) -> None:
    assert check(*KNOWN[place]).outcome.verdict is not Verdict.VIOLATED


def test_where_a_constant_is_known_to_be_the_best_the_corpus_comes_close() -> None:
    """A statement that is called sharp has a case that shows it, so that none is by mistake."""
    short = [
        (claim.name, sharp.part)
        for claim in shipped()
        for sharp in claim.theorem.sharp
        if "#" not in claim.name
        and not (
            (claim.name, sharp.part) in KNOWN and KNOWN[claim.name, sharp.part][1].number >= 0.99
        )
    ]
    assert short == []


def test_the_corpus_keeps_claims_that_there_are(repository: Path) -> None:
    names = {claim.name for claim in shipped()}
    files = list(repository.glob("verify/*/corpus/*.json"))
    assert files
    for file in files:
        assert corpus.read_file(file).keys() <= names, file
