"""Threads that keep a process from ending.  Loads nothing of its own."""

import threading


def lingering() -> list[threading.Thread]:
    """The threads, without the current one, that Python waits for before it ends the process."""
    this = threading.current_thread()
    return [one for one in threading.enumerate() if one is not this and not one.daemon]
