"""Writes docs/atlas from the corpus: how tight each theorem is, on which case, and how that ends.

Each case is drawn and evaluated again while the page is written; one that no longer checks fails
the build.
"""

import json
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from theorem_book import link, prose, write_files

from holdfast.verify.binding import corpus
from holdfast.verify.binding.claims import Claim, pillar, shipped
from holdfast.verify.binding.corpus import Kept
from holdfast.verify.report.numbers import rough, shorten
from holdfast.verify.search.keeping import check

PAGE = """\
# The atlas: how tight the bounds are

For each theorem, the case on which its two sides come closest, of all that hunts have seen so far.
The ratio is that of the smaller side to the larger one: at 1 the bound is attained. Where some of
the integers that draw a case may grow, the ratio is followed, and the table says what it tends to:
a rational function of n that further points confirm, or an extrapolation. Neither is a proof, and a
ratio below 1 is no proof that the bound can be improved: `holdfast suggest LABEL` makes a
conjecture of it. *Known* is the constant of a theorem for which it is known that no smaller one
will do.

The table is made of the corpus, the files `verify/PILLAR/corpus`, whose cases were drawn again
and compared for this page, as in every `holdfast verify`. `holdfast atlas --keep` hunts anew;
`holdfast hunt LABEL --keep` hunts for one theorem.

{tables}
"""
HEAD = (
    "| theorem | part | known | ratio | tends to | models |\n| --- | --- | --- | --- | --- | --- |"
)
_LONGEST = 1500
"""Characters of a case that are shown, about a screen; its file has them all."""


def row(claim: Claim, kept: Kept) -> str:
    sharp = [one.constant for one in claim.theorem.sharp if one.part == kept.part]
    cells = [
        link(claim.theorem.label),
        f"`{claim.theorem.parts[kept.part]}`",
        f"`{sharp[0]}`" if sharp else "—",
        rough(kept.ratio),
        f"`{kept.limit}`" if kept.limit else "—",
        str(kept.models),
    ]
    return "| " + " | ".join(cells) + " |"


def detail(claim: Claim, kept: Kept) -> str:
    check(claim, kept)
    sharp = [one.why for one in claim.theorem.sharp if one.part == kept.part]
    lines = [
        f"### {prose(claim.theorem.title)}, part {kept.part}",
        f"{link(claim.theorem.label)}: `{claim.theorem.parts[kept.part]}`",
        f"Known to be the best constant. {prose(sharp[0])}" if sharp else "",
        f"Ratio `{shorten(kept.ratio, 60)}`, found in {kept.models} models with the seed "
        f"{kept.seed}, and made as small as possible.",
        f"Tends to `{kept.limit}`: `{kept.along}`." if kept.limit else "",
        f"```text\nintegers {list(kept.trace)}\n{shorten(json.dumps(kept.case), _LONGEST)}\n```",
    ]
    return "\n\n".join(filter(None, lines))


def page() -> str:
    kept = [(claim, one) for claim in shipped() for one in corpus.read(claim)]
    rooms: dict[str, list[tuple[Claim, Kept]]] = {}
    for claim, one in kept:
        rooms.setdefault(pillar(claim), []).append((claim, one))
    tables = [
        "\n\n".join([f"## {name}", "\n".join([HEAD, *(row(*one) for one in room)])])
        for name, room in rooms.items()
    ]
    cases = "\n\n".join(["## The cases", *(detail(*one) for one in kept)])
    return PAGE.format(tables="\n\n".join([*tables, cases]))


def write(app: Sphinx) -> None:
    write_files(Path(app.srcdir) / "atlas", {"index.md": page()})


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
