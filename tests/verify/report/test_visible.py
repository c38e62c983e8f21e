"""Text of strangers at the doors of output: the function, the console, files."""

import ast
import io
import os
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

import holdfast.verify
from holdfast.solvers.whole_files import append_line, whole, write_text
from holdfast.verify.report.text import VisibleText
from holdfast.verify.report.visible import one_line, visible
from holdfast.verify.terminal.output import Console, plain


@pytest.mark.parametrize(("text", "shown"), [
    ("a\x1b[2J", r"a\x1b[2J"), ("\x07\x08\r", r"\x07\x08\r"), ("\x9b31m", r"\x9b31m"),
    ("\u202eevil", r"\u202eevil"), ("\u2066x\u2069", r"\u2066x\u2069"), ("\ud800", r"\ud800"),
    ("\ufeff\u200b", r"\ufeff\u200b"), ("\u2028", r"\u2028"), ("\ue05b", r"\ue05b"),
    ("\U000e0041", r"\U000e0041"), ("\0\x7f", r"\x00\x7f"), ("\uffff", r"\uffff"),
    ("≤ λ 模型 é\n\tx\u00a0y 🙂", "≤ λ 模型 é\n\tx\u00a0y 🙂"),
])  # fmt: skip
def test_what_a_terminal_would_obey_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown
    shown.encode()


def test_one_line_is_one_line() -> None:
    assert one_line("a\nvalue 1\tb") == r"a\nvalue 1\tb"


def printed(*things: object, **options: bool) -> str:
    file = io.StringIO()
    Console(file=file, width=200).print(*things, **options)
    return file.getvalue()


@pytest.mark.parametrize("text", [
    "[link=https://example.org]x[/link]", "[/bold]", "[bold]", "[/foo]", "[red]x[/red]", ":smile:",
    "[bold]x[/dim]", "[@click=f]x[/]", "\\[bold]", "[[bold]]",
])  # fmt: skip
def test_no_markup_but_our_own(text: str) -> None:
    assert printed(text) == text + "\n"
    table = Table(text, title=text)
    table.add_row(text)
    assert printed(table).count(text) == 3


def test_our_markup_and_names_in_it() -> None:
    assert printed("[bold]x[/bold] [dim]y[/dim]") == "x y\n"
    assert printed("[bold]x[/bold]", markup=False) == "[bold]x[/bold]\n"
    name = "[/bold][bold red]no[/bold red]\x1b[2J\n[bold]z[/bold]"
    assert printed(f"[bold]{plain(name)}[/bold]: 2") == (
        r"[/bold][bold red]no[/bold red]\x1b[2J\n[bold]z[/bold]: 2" "\n"
    )
    file = io.StringIO()
    console = Console(file=file, width=200, force_terminal=True, color_system="standard")
    console.print(f"a [bold]{plain('[b]')}[/bold]", highlight=False)
    assert file.getvalue() == "a \x1b[1m[b]\x1b[0m\n"


def test_renderables_pass_the_same_door() -> None:
    assert printed(Text("a\x1b[2J\u202e")) == "a\\x1b[2J\\u202e\n"
    assert printed(VisibleText("a\x07\r").append("\x08")) == "a\\x07\\r\\x08\n"


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_text(path, "old λ")
    path.chmod(0o640)
    with pytest.raises(ZeroDivisionError), whole(path) as unfinished:
        unfinished.write_text("half")
        assert unfinished.suffix == ".json"
        assert unfinished.parent == tmp_path
        raise ZeroDivisionError
    assert path.read_text(encoding="utf-8") == "old λ"
    write_text(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["a.json"]


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_text(tmp_path / "none" / "a.json", "x")
    assert caught.value.filename == str(tmp_path / "none" / "a.json")


def test_a_device_is_written_in_place() -> None:
    with pytest.raises(OSError, match="No space left on device"):
        write_text("/dev/full", "x")
    assert Path("/dev/full").is_char_device()


def test_lines_are_added(tmp_path: Path) -> None:
    for line in ("a", "λ"):
        append_line(tmp_path / "log", line)
    assert (tmp_path / "log").read_text(encoding="utf-8") == "a\nλ\n"
    with pytest.raises(OSError, match="No space left on device"):
        append_line("/dev/full", "x")


def test_what_goes_past_the_console_is_not_made_for_it() -> None:
    """`plain` hides brackets from the console's markup; errors and `echo` would show the sign."""
    for path in Path(holdfast.verify.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            echoed = isinstance(node, ast.Call) and ast.unparse(node.func) == "click.echo"
            if echoed or isinstance(node, ast.Raise):
                called = {ast.unparse(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}
                assert not called & {"plain", "output.plain"}, (path, node.lineno)
