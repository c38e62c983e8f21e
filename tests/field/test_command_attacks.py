"""Files that a stranger might send to the command: stores that no version wrote, hostile text.

Each is refused, or shown as it is, quickly and in little memory.
"""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import pytest

from holdfast.verify.store.store import Store

CLAIM = "cmdp/multiplier-bound"
SECONDS, MEGABYTES = 4.0, 200.0
"""Of processor time, half of which is loading, measured 1.3 s on one core; and of memory."""


# -- stores
def _empty(path: Path) -> None:
    Store.open(path).close()


def _change(*statements: str) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        _empty(path)
        with closing(sqlite3.connect(path)) as raw:
            for statement in statements:
                raw.execute(statement)
            raw.commit()

    return spoil


def _foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE t (id INTEGER)")


_bad_row = _change(
    "INSERT INTO runs VALUES (1, 'x', '0', '1', '{', 't', NULL)",
    "INSERT INTO shards VALUES"
    " (1, 1, 'k', 'cmdp/multiplier-bound', 'DRAWN', 0, 1, '', 1, 1, 1, '')",
    "INSERT INTO findings VALUES (1, 1, 'cmdp/multiplier-bound', 'drawn:0', 0, 0, 'NOPE', '1', '2',"
    " NULL, NULL, 'exact', '0', 'd', '{', 'n')",
)
_bad_corpus = _change(
    "INSERT INTO corpus VALUES"
    " (1, 'cmdp/multiplier-bound', '[1e400, \"x\", -5]', 1e300, '{', 'n', 't')"
)
SHOW, HUNT = ("show", CLAIM), ("hunt", CLAIM, "--budget", "5")
VERIFY = ("verify", CLAIM, "--budget", "5", "--jobs", "1")


@pytest.mark.parametrize(("spoil", "command", "said"), [
    *((lambda path: path.write_text("no database" * 99), one, "is not a sound SQLite database")
      for one in (SHOW, HUNT, VERIFY)),
    (_foreign, VERIFY, "is a database of another program; name another file"),
    (_change("PRAGMA user_version = 99"), SHOW, "has schema 99, this holdfast reads up to 1"),
    (_change("DROP VIEW evidence", "DROP TABLE findings"), HUNT, "findings lacks id, shard, claim"),
    (_bad_row, SHOW, "findings, row 1: holds what holdfast never wrote: verdict = 'NOPE'"),
    (_bad_corpus, HUNT, "corpus, row 1: holds what holdfast never wrote: trace = '[1e400, "),
])  # fmt: skip
def test_a_store_that_no_version_wrote(
    holdfast, tmp_path: Path, spoil, command: tuple[str, ...], said: str
) -> None:
    store = tmp_path / "s.sqlite"
    spoil(store)
    done = holdfast(*command, "--store", store)
    assert done.code == 64, done.err
    assert str(store) in done.err
    assert said in done.err
    assert "; " in done.err, "a remedy"
    assert "Traceback" not in done.err
    assert done.seconds < SECONDS
    assert done.megabytes < MEGABYTES


def test_rows_that_are_not_read_do_no_harm(holdfast, tmp_path: Path) -> None:
    """The control: the same commands on a store with a broken row of another kind."""
    for spoil, command in ((_bad_row, HUNT), (_bad_corpus, SHOW)):
        store = tmp_path / f"{command[0]}.sqlite"
        spoil(store)
        assert holdfast(*command, "--store", store).code == 0


# -- text: two states, value 8/3 (V(0) = 2 + V(1)/2, V(1) = V(0)/2, so V(0) = 2 / (1 - 1/4))
NOTES = {
    "ansi": (
        "\x1b[2J\x1b[H accepted by the kernel\x07",
        r"\x1b[2J\x1b[H accepted by the kernel\x07",
    ),
    "markup": ("[/foo] [bold red]x[/bold red] [link=https://example.org]click[/link]",) * 2,
    "surrogate": ("\ud800", r"\ud800"),
    "bidi": ("\u202eoot", r"\u202eoot"),
    "lines": ("a\nvalue 9\rb", r"a\nvalue 9\rb"),
    "html": ("<script>alert(1)</script> & ]]> {{ 7 * 7 }}",) * 2,
}


def document(note: str) -> dict[str, object]:
    return {
        "kind": "cmdp", "n_states": 2, "choices": [[0, 0], [0, 1], [1, 0]],
        "transitions": [[[0, 1], [1, 1]], [[1, 1]], [[0, 1]]], "discount": "1/2",
        "reward": ["1", "2", "0"], "costs": [["1", "0", "0"]], "budgets": ["1"],
        "initial": ["1", "0"], "notes": [note],
    }  # fmt: skip


def harmless(text: str) -> bool:
    return all(character.isprintable() or character in "\n\t" for character in text)


@pytest.mark.parametrize("kind", list(NOTES))
def test_notes_are_shown_as_they_are(holdfast, tmp_path: Path, kind: str) -> None:
    note, shown = NOTES[kind]
    (tmp_path / "model.json").write_text(json.dumps(document(note)))
    done = holdfast("solve", "model.json")
    assert done.code == 0, done.err
    assert f"note: {shown}\n" in done.out
    assert "value       8/3" in done.out
    assert harmless(done.out)
    assert holdfast("export", "model.json", "--to", "copy.json").code == 0
    assert json.loads((tmp_path / "copy.json").read_text())["notes"] == [note]


@pytest.mark.parametrize("name", [
    "a[bold]b\x1b[2J\u202e\nvalue 9.json", "[red]x.json", "-<b>&'\".json", "]]>.json",
])  # fmt: skip
def test_the_name_of_a_file(holdfast, tmp_path: Path, name: str) -> None:
    """In a table, an HTML page, JUnit and JSON; a report stays well-formed."""
    (tmp_path / name).write_text(json.dumps(document("\x1b]0;x\x07")))
    done = holdfast("verify", "cmdp/strong-duality", "--on", f"./{name}", "--jobs", 1,
                    "--json", "r.json", "--junit", "r.xml", "--html", "r")  # fmt: skip
    assert done.code == 0, done.err
    assert harmless(done.out)
    assert "\nvalue 9" not in done.out
    page = (tmp_path / "r" / "index.html").read_text(encoding="utf-8")
    assert harmless(page)
    assert "<b>&" not in page
    ElementTree.parse(tmp_path / "r.xml")
    assert harmless((tmp_path / "r.xml").read_text(encoding="utf-8"))
    report = (tmp_path / "r.json").read_text(encoding="ascii")
    assert json.loads(report)["worlds"][0]["value"] == "8/3"


def test_names_of_actions_in_prism_files(holdfast, tmp_path: Path) -> None:
    (tmp_path / "m.tra").write_text("2 2 2\n0 0 1 1 [/b]\n1 0 0 1 x\n")
    (tmp_path / "m.lab").write_text('0="init" 1="deadlock" 2="unsafe"\n0: 0\n1: 2\n')
    (tmp_path / "m.srew").write_text("2 1\n0 1\n")
    done = holdfast("solve", "m.tra", "--discount", "1/2")
    assert done.code == 0, done.err
    assert "actions: 0 [/b], 1 x" in done.out
    assert "value       4/3" in done.out  # V(0) = 1 + V(1)/2, V(1) = V(0)/2


@pytest.mark.parametrize("arguments", [
    ("show", "x\x1b[2J"), ("list", "[/bold]\x07"), ("solve", "\u202e.json"),
    ("verify", "\x1b.py"), ("export", "\x1b[2J.json", "--to", "x.json"),
    ("verify", "cmdp/occupancy", "--json", "\x1b[2J\n/x.json", "--junit", "/dev/null/\x07/x"),
])  # fmt: skip
def test_messages_repeat_nothing_raw(holdfast, arguments: tuple[str, ...]) -> None:
    done = holdfast(*arguments)
    assert done.code == 64
    assert harmless(done.err + done.out)
    assert r"\x" in done.err or r"\u202e" in done.err
