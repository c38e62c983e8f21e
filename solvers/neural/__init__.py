"""What needs torch.  Nothing else loads it, and nothing here is loaded unless asked for."""

from contextlib import suppress

with suppress(ImportError):  # gym, which other packages still import, prints that it is superseded
    from gym_notices import notices

    notices.notices.clear()
