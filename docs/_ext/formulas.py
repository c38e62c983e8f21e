"""Prose as Markdown: what is a formula in plain text, such as ``J_c(pi) <= d``, is typeset as one.

A formula is a run of symbols, operators and brackets in which at least one symbol has an index, an
exponent or a Greek name, or an operator stands between two symbols.  All else stays as it stands.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from itertools import accumulate, zip_longest

from holdfast.verify.report.mathml import mathml

_GREEK = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "kappa", "lambda",
    "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega",
    "Gamma", "Delta", "Theta", "Lambda", "Sigma", "Phi", "Psi", "Omega",
]  # fmt: skip
_NAMES = {name: rf"\{name}" for name in _GREEK} | {"eps": r"\varepsilon", "lam": r"\lambda"}
_FUNCTIONS = {
    "E": r"\mathbb E ",
    "Pr": r"\Pr ",
    "KL": r"\mathrm{KL}",
    "TV": r"\mathrm{TV}",
    "sum": r"\sum ",
    "log": r"\log ",
    "exp": r"\exp ",
    "max": r"\max ",
    "min": r"\min ",
    "sqrt": r"\surd ",
}
_OPERATORS = {
    "<=": r"\le ",
    ">=": r"\ge ",
    "==": "=",
    "!=": r"\ne ",
    "<": r"\lt ",
    ">": r"\gt ",
    "|": r"\vert ",
    "...": r"\dots ",
}
_INDEX = r"(?:\{[^{}]*\}|\w+|\+)"
_POWER = r"(?:\{[^{}]*\}|\([^()]*\)|-?\w+|\*)"
_SUFFIX = rf"(?:_(?P<low>{_INDEX}))?(?:\^(?P<high>{_POWER}))?(?P<star>\*)?(?P<prime>')?"
_TOKEN = re.compile(
    rf"(?P<symbol>(?<![\w-])(?P<base>{'|'.join(sorted(_NAMES, key=len, reverse=True))}|[A-Za-z])"
    rf"(?![A-Za-z]){_SUFFIX}(?![\w'])(?!-[A-Za-z]{{2}}))"
    rf"|(?P<function>(?<![\w.-])(?:(?:{'|'.join(_FUNCTIONS)})(?:_(?P<under>{_INDEX}))?(?![\w-])"
    r"|[a-z]{2,}(?=\()))"
    r"|(?P<number>(?<![\w.])\d+(?:\.\d+)?(?!\w))"
    r"|(?P<operator><=|>=|==|!=|\.\.\.|(?<=\s)[<>](?=\s)|[=+/|]"
    r"|(?<=[\s(])-(?=[\s\w(])|(?<=\w)-(?=[A-Za-z0-9]\b))"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}](?:_\+|\^\d)?)"
    r"|(?P<comma>,)|(?P<space>\s+)|(?P<word>[^\s()\[\]{},=<>+/|]+|.)"
)
_ARTICLES, _LAWS = ("a", "A", "I"), ("Gamma",)
"""Letters that are words, and Greek letters that name a law, where nothing else says formula."""


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of a text, what it is, how it is typeset, and whether it is surely of a formula."""

    kind: str
    text: str
    latex: str
    strong: bool = False


def _tokens(text: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(text):
        kind = str(found.lastgroup)
        kind = "symbol" if found["symbol"] else kind
        piece = found[0]
        if kind == "symbol":
            suffix = any(found[part] for part in ("low", "high", "star", "prime"))
            strong = suffix or (len(found["base"]) > 1 and found["base"] not in _LAWS)
            yield _Token(kind, piece, _symbol(found), strong)
        elif kind in ("open", "close"):
            yield _Token(kind, piece, piece.replace("{", r"\{").replace("}", r"\}"))
        elif kind == "function":
            name, _, under = piece.partition("_")
            latex = _FUNCTIONS.get(name, rf"\mathrm{{{name}}}").strip()
            below = f"_{{{_inside(under.strip('{}'))}}}" if under else " "
            yield _Token(kind, piece, latex + below, bool(under))
        else:
            yield _Token(kind, piece, _OPERATORS.get(piece, piece))


def _symbol(found: re.Match[str]) -> str:
    base, low, high = found["base"], found["low"], found["high"]
    if base == "E" and not low and not high:
        return r"\mathbb E "
    latex = _NAMES.get(base, base)
    if low:
        latex += f"_{{{_inside(low.strip('{}'))}}}"
    upper = ("" if high in (None, "*") else _inside(high.strip("{}()"))) + (
        r"\star" if found["star"] or high == "*" else ""
    )
    upper += r"\prime" if found["prime"] else ""
    return latex + (f"^{{{upper}}}" if upper else " ")


def _inside(text: str) -> str:
    """An index or an exponent: Greek names, words upright, the rest as a formula."""
    words = re.sub(r"[A-Za-z]{2,}", lambda m: _NAMES.get(m[0], rf"\mathrm{{{m[0]}}}") + " ", text)
    for sign in ("<=", ">="):
        words = words.replace(sign, _OPERATORS[sign])
    return words.replace("*", r"\star ").replace("_", " ")


def _runs(text: str) -> Iterator[tuple[bool, list[_Token]]]:
    """The tokens in turn, in runs that may be formulas and runs that are not."""
    run: list[_Token] = []
    depth = 0
    for token in _tokens(text):
        depth += _step(token)
        if token.kind == "word" and depth > 0 and any(one.text in ("Pr", "E") for one in run):
            run.append(replace(token, latex=rf"\text{{ {token.text} }}"))
        elif token.kind == "word" or (token.kind == "comma" and depth <= 0):
            yield True, run
            yield False, [token]
            run, depth = [], 0
        else:
            run.append(token)
    yield True, run


def _split(run: list[_Token]) -> tuple[int, int]:
    """Where the formula in a run begins and ends; the same twice where there is none."""
    first, last = 0, len(run)
    while first < last:
        inside = run[first:last]
        depths = list(accumulate(map(_step, inside)))
        if min(depths) < 0:  # closes what it has not opened
            last = first + next(place for place, depth in enumerate(depths) if depth < 0)
        elif depths[-1] > 0:  # opens what it does not close
            last = first + max(
                place
                for place, one in enumerate(inside)
                if one.kind == "open" and min(depths[place:]) > 0
            )
        elif _is_no_beginning(inside):
            first += 1
        elif _is_no_end(inside):
            last -= 1
        else:
            break
    return first, last


def _step(token: _Token) -> int:
    return (token.kind == "open") - (token.kind == "close")


def _is_no_beginning(run: list[_Token]) -> bool:
    head, rest = run[0], [one for one in run[1:] if one.kind != "space"]
    joined = bool(rest) and rest[0].kind in ("operator", "open")
    if head.kind == "number":
        return not (joined or (rest and rest[0].strong))
    if head.text in _ARTICLES:
        return not joined
    return head.kind in ("space", "comma") or (head.kind == "operator" and head.text != "-")


def _is_no_end(run: list[_Token]) -> bool:
    tail, before = run[-1], [one for one in run[:-1] if one.kind != "space"]
    if tail.text in _ARTICLES:
        return not before or before[-1].kind != "operator"
    return tail.kind in ("space", "comma", "operator", "function")


def _is_formula(run: list[_Token]) -> bool:
    shown = [one for one in run if one.kind != "space"]
    between = any(
        one.kind == "operator"
        and {before.kind, after.kind} <= {"symbol", "number", "open", "close"}
        and "symbol" in (before.kind, after.kind)
        for before, one, after in zip(shown, shown[1:], shown[2:], strict=False)
    )
    return between or any(one.strong for one in shown)


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """("plain", words) and ("formula", LaTeX) in turn."""
    for maybe, run in _runs(text):
        first, last = _split(run) if maybe else (0, 0)
        formula = run[first:last]
        if not _is_formula(formula):
            yield "plain", "".join(one.text for one in run)
            continue
        yield "plain", "".join(one.text for one in run[:first])
        yield "formula", "".join(one.latex for one in formula).strip()
        yield "plain", "".join(one.text for one in run[last:])


def _escaped(text: str) -> str:
    return re.sub(r"([*_<>\[\]$|\\])", r"\\\1", text)


def _quoted(text: str) -> str:
    """What is in backquotes: a formula where all of it is one, else a name or code."""
    found = [(kind, piece) for kind, piece in pieces(text) if piece]
    is_name = re.fullmatch(r"[\w./#-]+", text) and not re.search(r"[_^]|^\w$", text)
    if len(found) == 1 and found[0][0] == "formula" and not is_name:
        return f"${found[0][1]}$"
    return f"`{text}`"


def prose(text: str) -> str:
    """Plain text as Markdown; formulas are typeset, what is in backquotes stays as it stands."""
    parts = re.split(r"`+([^`]+)`+", text)
    words = [
        "".join(
            f"${piece}$" if kind == "formula" else _escaped(piece) for kind, piece in pieces(part)
        )
        for part in parts[::2]
    ]
    quoted = [_quoted(piece) for piece in parts[1::2]]
    return "".join(piece for pair in zip_longest(words, quoted, fillvalue="") for piece in pair)


def titled(text: str) -> str:
    """Plain text as HTML; formulas are typeset."""
    return "".join(
        mathml(piece) if kind == "formula" else escape(piece) for kind, piece in pieces(text)
    )


def cell(latex: str) -> str:
    """A formula in a table of Markdown, where a bar ends a cell, and an escaped one is a bar."""
    return latex.replace(r"\|", r"\Vert ").replace("|", r"\vert ")
