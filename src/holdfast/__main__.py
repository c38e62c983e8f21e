"""``python -m holdfast`` is the console script ``holdfast``."""

from holdfast.verify.cli import main

if __name__ == "__main__":
    main()
