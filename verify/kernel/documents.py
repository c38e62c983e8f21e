"""Documents: files of JSON and what they may hold. Parsers of JSON are named by nouns.

A parser takes a value of JSON and returns what it means, or raises Rejected. Every key of an object
is known and present (but `notes`, which may hold anything and are never read), every list has the
length that its place asks for, and every integer lies in the range that its place states.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .exact import Rejected, Vector, common_vector, integer, rational, require

Parser = Callable[[Any], Any]
LARGEST_FILE = 2**27  # bytes; a certificate of a million transitions takes a fifth of it
LARGEST_DOCUMENT = 2**27  # characters and entries: no more memory than for the largest file
GRANTED, GRANTED_CHARACTERS = 4, 500
"""Work that an entry of a document brings with it: so many units, and one for each of so many
characters. A large certificate of ours needs a half of that. Longer numbers bring no more, since
what is done with them takes the square of their length; see `effort`."""
DEEPEST = 200  # arrays and objects inside each other; Python's own recursion ends at 1000


def anything(value: Any) -> Any:
    """What a checker looks at by itself."""
    return value


def located(where: str, parse: Parser, value: object) -> Any:
    """parse(value), with `where` put before the reason of a rejection."""
    try:
        return parse(value)
    except Rejected as error:
        raise Rejected(where + error.reason, error.value) from None


def one_of(*words: object) -> Parser:
    """Parser of these values; 1 is not True."""

    def parse_word(value: object) -> object:
        known = any(type(value) is type(word) and value == word for word in words)
        require(known, f" is none of {', '.join(map(str, words))}", value)
        return value

    return parse_word


def ranged(low: int, high: int) -> Parser:
    """Parser of integers from low to high."""

    def parse_ranged(value: Any) -> int:
        found = integer(value)
        require(low <= found <= high, f" is outside {low}..{high}", found)
        return found

    return parse_ranged


def array(parse: Parser, length: int | None = None) -> Parser:
    """Parser of JSON arrays of such entries, of this length if one is given."""

    def parse_array(value: Any) -> list[Any]:
        fits = isinstance(value, list | tuple) and length in (None, len(value))
        require(fits, " is not an array, or has not the length asked for", value)
        try:
            return [parse(entry) for entry in value]
        except Rejected:  # once more, slowly, to say where
            return [located(f"[{i}]", parse, entry) for i, entry in enumerate(value)]

    return parse_array


def record(build: Callable[..., Any], **parsers: Parser) -> Parser:
    """Parser of JSON objects with exactly these keys, and perhaps `notes`: build(key=parsed)."""

    def parse_record(value: Any) -> Any:
        require(isinstance(value, dict), " is not an object", value)
        wrong = sorted(map(str, (value.keys() - {"notes"}) ^ parsers.keys()))
        require(not wrong, " lacks or must not have the keys", wrong)
        return build(**{k: located(f".{k}", parse, value[k]) for k, parse in parsers.items()})

    return parse_record


def field(name: str, parse: Parser) -> Parser:
    """Parser of JSON objects with this one key, and perhaps `notes`: what is parsed there."""
    return record(lambda **found: found[name], **{name: parse})


_scaled = record(dict, denominator=integer, numerators=array(integer))


def vector(value: object) -> Vector:
    """["p/q", ...] or {"denominator": "D", "numerators": ["n", ...]} with D >= 1."""
    if not isinstance(value, dict):
        return common_vector(array(rational)(value))
    found = _scaled(value)
    require(found["denominator"] > 0, ".denominator is not positive", found["denominator"])
    return Vector(**found)


def measure(document: Any) -> int:
    """Work that a document brings with it, notes apart; raises if it is too large or too deep."""
    total, granted, level = 0, 0, [document]
    for _ in range(DEEPEST):
        lengths = [len(value) for value in level if type(value) is str]
        total += len(level) + sum(lengths)
        granted += GRANTED * len(level) + sum([min(n, GRANTED_CHARACTERS) for n in lengths])
        require(total <= LARGEST_DOCUMENT, "a document of too many characters and entries", total)
        deeper = [value for value in level if type(value) in (list, tuple, dict)]
        level = [part for value in deeper for part in _parts(value)]
        if not level:
            return granted
    raise Rejected("arrays and objects inside each other, deeper than", DEEPEST)


def _parts(value: Any) -> Iterable[Any]:
    if type(value) is dict:
        return [part for key, part in value.items() if key != "notes"]
    parts: Iterable[Any] = value
    return parts


def digest(document: dict[str, Any]) -> str:
    """SHA-256 of a document without its notes, keys sorted, no spaces: the first 16 digits."""
    text = json.dumps(_without_notes(document), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _without_notes(document: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in document.items() if key != "notes"}
    return {k: _without_notes(v) if isinstance(v, dict) else v for k, v in kept.items()}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    require(len(dict(pairs)) == len(pairs), "an object repeats a key", [key for key, _ in pairs])
    return dict(pairs)


def load(path: str | Path) -> Any:
    """The JSON of a file, without floats (0.5, NaN) and repeated keys."""
    place = Path(path)
    length = place.stat().st_size
    fits = place.is_file() and length <= LARGEST_FILE
    require(fits, f"not a file, or one of more than {LARGEST_FILE} bytes", f"{path}, {length}")
    text = place.read_text(encoding="utf-8")
    return json.loads(text, object_pairs_hook=_unique, parse_float=integer, parse_constant=integer)
