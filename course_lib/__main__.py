"""`python -m course_lib`: your progress in a terminal, also where only this package is, without `course`."""

from __future__ import annotations

import argparse
import sys

from course_lib import journal, messages
from course_lib.progress_table import current


def main(arguments: list[str] | None = None) -> int:
    """Print the progress, or delete the journal. Exit code 1: the question was not answered with yes.

    Args:
        arguments: of the command line.
    """
    parser = argparse.ArgumentParser(prog="python -m course_lib", description=messages.PROGRESS_USAGE)
    parser.add_argument("--forget", action="store_true", help=messages.PROGRESS_FORGET_HELP)
    if not parser.parse_args(arguments).forget:
        print(current())
        return 0
    print(messages.PROGRESS_ASK_FORGET.format(path=journal.path()), end="", flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        print(messages.PROGRESS_KEPT)
        return 1
    deleted = journal.forget()
    print(messages.PROGRESS_FORGOTTEN.format(path=journal.path()) if deleted else messages.PROGRESS_NOTHING_TO_FORGET)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
