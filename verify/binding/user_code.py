"""Running what a user wrote: whatever it raises, or however it ends, is an error with its place.

Main definitions: `blamed`, which turns an exception into a `ClaimError` that shows the user's lines
of the traceback, and `limited`, which ends a case that does not end by itself.  What the code
changes of the process is put back (`restored`).

A file of claims is a program with all the rights of its user.  What is guarded against here is a
run that ends as if all were well although nothing was examined, not a program that means harm.
"""

from __future__ import annotations

import opcode
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn

from .family import OutOfScope
from .values import ClaimError

_RAISE = opcode.opmap["RAISE_VARARGS"]
_AGAIN = 1.0
"""Seconds until a case that has caught the end of its time is told once more.  Less interrupts what
it does to clean up; more keeps the run waiting for one that catches everything."""


class TooLong(BaseException):
    """A case that did not end in its time; no Exception, so that the user's handlers let it by."""


@contextmanager
def blamed(what: str, file: str) -> Iterator[None]:
    """Run code of the user's `file`; `what` is the subject of the sentence that says how it ended.

    Raises
    ------
    ClaimError: if the code raises anything, asks the program to end, or exceeds its time, with the
        lines of the traceback that lie in the file or beside it.
    OutOfScope, ClaimError: as they are; so is a Ctrl-C that the code did not raise itself.
    """
    leave, guarded = os._exit, threading.get_ident()

    def refuse(status: int) -> NoReturn:
        if threading.get_ident() != guarded:
            leave(status)
        raise SystemExit(status)

    os._exit = refuse  # would end this process with any code, such as 0
    try:
        with restored():
            yield
    except (ClaimError, OutOfScope):
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and not _by_hand(error, file):
            raise
        place = "".join(f"\n{line}" for line in user_lines(error, file))
        raise ClaimError(f"{what} {_ending(error)}{place}") from error
    finally:
        os._exit = leave


_KEPT = ("stdin", "stdout", "stderr", "excepthook")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def restored() -> Iterator[None]:
    """Put back what the command relies on: the standard streams, the current folder, where its
    reports go, the handlers of Ctrl-C and SIGTERM, and a recursion limit that is lowered."""
    kept, limit = {name: getattr(sys, name) for name in _KEPT}, sys.getrecursionlimit()
    handlers, folder = {number: signal.getsignal(number) for number in _SIGNALS}, _folder()
    try:
        yield
    finally:
        if sys.getrecursionlimit() < limit:
            sys.setrecursionlimit(limit)
        for name, thing in kept.items():
            setattr(sys, name, thing)
        if folder is not None and folder != _folder():
            os.chdir(folder)
        for number, handler in handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                with suppress(ValueError):  # not the main thread, so the code had none to set
                    signal.signal(number, handler)


def _folder() -> str | None:
    with suppress(OSError):
        return os.getcwd()
    return None


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Raise `TooLong` inside after so many seconds; None for no limit.

    There is none either outside the main thread, without SIGALRM, or where an alarm is set already,
    as by a test runner.
    """
    main = threading.current_thread() is threading.main_thread()
    if seconds is None or not main or not hasattr(signal, "setitimer"):
        yield
        return
    if any(signal.getitimer(signal.ITIMER_REAL)):
        yield
        return

    def end(number: int, frame: FrameType | None) -> NoReturn:
        del number, frame
        raise TooLong(f"had not ended after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def user_lines(error: BaseException, file: str) -> list[str]:
    """The traceback as Python prints it, without the frames that lie elsewhere than the file or in
    its folder; where a file does not compile, its line."""
    shown = traceback.StackSummary.from_list(
        [frame for frame in traceback.extract_tb(error.__traceback__) if _beside(frame, file)]
    )
    lines = [line for entry in shown.format() for line in entry.rstrip("\n").split("\n")]
    if isinstance(error, SyntaxError) and error.filename:
        lines.append(f'  File "{error.filename}", line {error.lineno}')
        lines += [f"    {error.text.strip()}"] if error.text else []
    return lines


def _beside(frame: traceback.FrameSummary, file: str) -> bool:
    return frame.filename == file or (
        Path(file).is_file() and Path(frame.filename).parent == Path(file).parent
    )


def _ending(error: BaseException) -> str:
    if isinstance(error, TooLong):
        return str(error)
    if isinstance(error, SystemExit):
        return f"asked the program to end (SystemExit: {error.code}), which decides nothing"
    return f"raised {type(error).__name__}: {error}"


def _by_hand(error: BaseException, file: str) -> bool:
    """Whether a line of the user's raised it: a signal arrives anywhere but at a `raise`, or is
    raised by a handler, which does not lie beside the file."""
    end = _last(error.__traceback__)
    if end is None or not _beside(traceback.extract_tb(end)[0], file):
        return False
    return end.tb_frame.f_code.co_code[end.tb_lasti] == _RAISE


def _last(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace
