"""The console script ``holdfast``, which is also ``python -m holdfast``."""

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]  # before any import: the current folder, whose signal.py is none of ours


def main() -> None:
    """Run the command line; Ctrl-C while it is still loading ends it without a word."""
    if sys.argv[1:2] == ["check"] and not sys.flags.isolated:
        _isolate()
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from holdfast.verify.cli import main as run

    run()


def _isolate() -> None:
    """Start again as `python -I`: what is checked is a stranger's, and perhaps PYTHONPATH too.

    `os` was loaded when Python started, before it looked into the paths of the environment.
    """
    import os

    os.execv(sys.executable, [sys.executable, "-I", "-m", "holdfast", *sys.argv[1:]])


if __name__ == "__main__":
    main()
