"""How a command ends whatever happens: signals, closed streams, full disks, unforeseen errors.

The codes are those of `ExitCode`.  Nothing but a refuted statement ends with 1, no traceback is
printed unless ``HOLDFAST_TRACEBACK`` is set, and a message goes to standard error in one piece.
"""

from __future__ import annotations

import errno
import io
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TextIO, cast

import click

from holdfast.verify.campaign.exit_codes import ExitCode
from holdfast.verify.campaign.threads import lingering
from holdfast.verify.report.visible import visible

TRACEBACK = "HOLDFAST_TRACEBACK"
"""Environment variable; where it is set and not empty, errors come with their traceback."""

_EXPLAINED = {
    "BudgetError": ExitCode.BAD_USAGE,
    "CampaignError": ExitCode.SYSTEM_ERROR,
    "ClaimError": ExitCode.BAD_USAGE,
    "ClusterError": ExitCode.BAD_USAGE,
    "LimitReachedError": ExitCode.UNDECIDED,
    "ModelError": ExitCode.BAD_USAGE,
    "OutOfScope": ExitCode.BAD_USAGE,
    "PlanError": ExitCode.BAD_USAGE,
    "StoreError": ExitCode.BAD_USAGE,
    "StoreFull": ExitCode.SYSTEM_ERROR,
    "TrainingError": ExitCode.UNDECIDED,
}
"""Errors whose message says what is wrong and what to do, by name, so that none is imported."""

_PATHS = {
    errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.EEXIST,
    errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP,
}  # fmt: skip
"""What is wrong with a path that was given; other errors of the system are nobody's usage."""


_GRACE, _WORKERS_GRACE = 1.0, 10.0
"""Seconds that a thread of a user's may go on after the end, and our workers, which take a moment
on a busy machine.  Less would end one that was about to end; more keeps the user waiting."""


class Signals:
    """Ctrl-C and SIGTERM as KeyboardInterrupt; `received` is the last of them, or None."""

    def __init__(self) -> None:
        self.received: int | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The handler."""
        del frame
        self.received = number
        raise KeyboardInterrupt

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Installs the handler, except where the caller of the program had a signal ignored."""
        before = {}
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:
                with suppress(ValueError):  # not the main thread: nothing to install
                    before[number] = signal.signal(number, self)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def code(self, code: int) -> int:
        """The exit code of a command that ended with `code`, maybe after a signal."""
        if self.received is None or code not in (ExitCode.AS_EXPECTED, ExitCode.INTERRUPTED):
            return code
        return 128 + self.received


def mend_streams() -> None:
    """Have three open streams that take any character.

    A closed one becomes the null device: otherwise the next file that is opened, the store say,
    would have its number and take what libraries print.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(number)
    sys.stdin = sys.stdin or _null("r")
    sys.stdout = sys.stdout or _null("w")
    sys.stderr = sys.stderr or _null("w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _null(mode: str) -> TextIO:
    return cast(TextIO, open(os.devnull, mode, encoding="utf-8"))


def flushed(code: int) -> int:
    """`code` once all output is out, or the code that says why it is not."""
    try:
        sys.stdout.flush()
    except OSError as error:
        code = explain(error)
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, AttributeError):
        _say("holdfast: some code closed the standard output; the output is not complete.")
        code = code if code >= ExitCode.BAD_USAGE else ExitCode.SYSTEM_ERROR
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    return code


def watch_the_end(code: int) -> None:
    """End the process with `code` all the same where a thread, which Python would wait for, goes on
    running: one that a file of claims started, here or in a worker."""
    if lingering():
        threading.Thread(target=_end, args=(code,), daemon=True).start()


def _end(code: int) -> None:
    """In a thread of its own, which lives as long as Python waits for the others.

    A program that goes on after the command, such as a test or a notebook, is not ended.
    """
    threading.main_thread().join()
    since = time.monotonic()
    names, waited = [""], 0.0
    while waited < (_GRACE if names else _WORKERS_GRACE):
        time.sleep(_GRACE / 10)
        waited = time.monotonic() - since
        names = [
            one.name
            for one in lingering()
            if one is not threading.main_thread()
            and type(one).__module__ != "concurrent.futures.process"
        ]
    shown = ", ".join(names) or "that serves the workers"
    _say(f"holdfast: a thread was still running ({shown}) and was ended with the command.")
    os._exit(code)


def _is_required(module: str | None) -> bool:
    """Whether a module that is absent is one of the package's own requirements."""
    from ..campaign.versions import required

    return (module or "").partition(".")[0].replace("_", "-") in required()


def explain(error: BaseException) -> int:
    """Say what went wrong, in a sentence or two; the exit code."""
    if os.environ.get(TRACEBACK):
        _say("".join(traceback.format_exception(error)))
    known = next((one.__name__ for one in type(error).__mro__ if one.__name__ in _EXPLAINED), None)
    if isinstance(error, click.ClickException):
        shown = io.StringIO()
        error.show(shown)
        _say(shown.getvalue().rstrip())
        return ExitCode.BAD_USAGE
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        _say(f"\nholdfast: {str(error) or 'interrupted'}")
        return ExitCode.INTERRUPTED
    if known is not None:
        code = _EXPLAINED[known]
        _say(f"{'Undecided' if code is ExitCode.UNDECIDED else 'Error'}: {error}")
        return code
    if isinstance(error, ModuleNotFoundError) and _is_required(error.name):
        _say(
            f"Error: {error.name}, which holdfast needs, is not installed; install holdfast again "
            "with what it requires (pip install)"
        )
        return ExitCode.UNSOUND_INSTALLATION
    if isinstance(error, OSError):
        return _system(error)
    _say(f"holdfast: {_reason(error)}")
    return ExitCode.INTERNAL_ERROR


def _system(error: OSError) -> int:
    if isinstance(error, BrokenPipeError) and _nobody_reads():
        return ExitCode.BROKEN_PIPE
    if error.errno in _PATHS and error.filename is not None:
        _say(f"Error: {error.filename}: {error.strerror}; choose a path that can be used")
        return ExitCode.BAD_USAGE
    remedy = "free some space" if error.errno == errno.ENOSPC else "see to it and run again"
    _say(f"holdfast: the system refused: {error}; {remedy}. The output is not complete.")
    return ExitCode.SYSTEM_ERROR


def _nobody_reads() -> bool:
    """Whether standard output is a pipe that its reader has closed, as ``| head`` does."""
    with suppress(OSError, ValueError):
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return any(what & (select.POLLERR | select.POLLHUP) for _, what in poll.poll(0))
    return False


def _reason(error: BaseException) -> str:
    """What is known of an error that nobody foresaw, and what to do."""
    if isinstance(error, MemoryError):
        return (
            "out of memory; nothing was decided. Take a smaller model, or fewer --jobs, each of "
            "which holds a copy"
        )
    if isinstance(error, RecursionError):
        return "the input is nested too deeply; nothing was decided. Take a simpler expression"
    if isinstance(error, SystemExit):
        return (
            f"some code called sys.exit({error.code!r}) before the command was done; nothing was "
            f"decided. {TRACEBACK}=1 shows where"
        )
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" ({Path(frame.filename).name}, line {frame.lineno})" for frame in last)
    return (
        f"internal error{where}: {type(error).__name__}: {error}\n"
        "This is a fault of holdfast and says nothing about a theorem or a model. "
        f"{TRACEBACK}=1 shows the traceback; please report it."
    )


def _say(text: str) -> None:
    """To standard error, whatever is in the text and whatever has become of the stream."""
    with suppress(OSError, ValueError):
        click.echo(visible(text), err=True)
