"""The chapter of each pillar: the docstring of its package of statements."""

import re
from importlib import import_module
from types import ModuleType

import pytest

from holdfast.theory import areas, catalogue

PILLARS = sorted({area.__name__.rpartition(".")[0] for area in areas()})


def named(chapter: ModuleType) -> set[str]:
    """What stands between double backquotes."""
    return set(re.findall(r"``([^`]+)``", chapter.__doc__ or ""))


@pytest.mark.parametrize("pillar", PILLARS)
def test_a_chapter_names_what_there_is(pillar: str) -> None:
    chapter = import_module(pillar)
    files = {area.__name__.rpartition(".")[2] for area in areas() if pillar in area.__name__}
    labels = {theorem.label for theorem in catalogue()}
    assert named(chapter) <= labels | files
    assert files <= named(chapter), "the reading order forgets a file"
    assert len(named(chapter) & labels) >= 8


@pytest.mark.parametrize("pillar", PILLARS)
def test_a_chapter_says_what_a_reader_needs(pillar: str) -> None:
    text = import_module(pillar).__doc__ or ""
    for part in ("**Sets.**", "**Normalisation.**", "**Main results.**", "**Reading order.**"):
        assert part in text


@pytest.mark.parametrize("pillar", PILLARS)
def test_a_statement_that_is_false_is_called_so(pillar: str) -> None:
    """Each false statement that a chapter names stands in a paragraph that says false."""
    false = {theorem.label for theorem in catalogue() if theorem.standing.is_false}
    paragraphs = re.split(r"\n\n|\n\* ", import_module(pillar).__doc__ or "")
    for paragraph in paragraphs:
        if any(f"``{label}``" in paragraph for label in false):
            assert "false" in paragraph, paragraph
