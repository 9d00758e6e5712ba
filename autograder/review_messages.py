"""Every sentence of `course review` and of the notebook it writes. Whole sentences with named gaps, never fragments."""

# Two of each: for yesterday, and for longer ago.
AT_ONCE = ("Passed yesterday at the first try.", "Passed {days} days ago at the first try.")
IN_THE_END = ("Passed yesterday after {attempts} tries.", "Passed {days} days ago after {attempts} tries.")
SHOWN = ("Passed yesterday with the solution seen.", "Passed {days} days ago with the solution seen.")
REVIEWED_AT_ONCE = (
    "Reviewed yesterday: right at the first try.",
    "Reviewed {days} days ago: right at the first try.",
)
REVIEWED_IN_THE_END = (
    "Reviewed yesterday: right after {attempts} tries.",
    "Reviewed {days} days ago: right after {attempts} tries.",
)
REVIEWED_SHOWN = ("Reviewed yesterday with the solution seen.", "Reviewed {days} days ago with the solution seen.")
NOT_REVIEWED = ("Tried again yesterday but not solved.", "Tried again {days} days ago but not solved.")

JOURNAL_OFF = (
    "Your journal is off (COURSE_JOURNAL=off), so nobody knows what you passed. Without it nothing comes back."
)
NOTHING_PASSED = (
    "Nothing can come back yet, because no exercise is passed. Open a lesson with `make lab` and pass a check: "
    "some days later `course review` brings it back with fresh numbers."
)
NOTHING_PASSED_HERE = "Nothing of {lesson} can come back yet: no exercise of it is passed."
NOTHING_DUE = "Well done, nothing is due today. The next one, `{exercise}`, comes back on {date}."
DAMAGED = "{count} lines of {path} could not be read and were left out."
NO_CELL = "{path} has no answer cell for `{exercise}`. Build the lesson again: `course generate {lesson}`."
DRAWING = "Drawing fresh numbers"
TITLE = "Due for review"
MINUTES = "Minutes"
COLUMNS = ("Exercise", "Lesson", MINUTES, "Why now")
LISTED = "Due: {count}, about {minutes} minutes in all. `course review` makes a session of them."
LEFT = "{count} more are due, about {minutes} minutes. Run the command again when you have done these."
OPEN_LAB = "Wrote the session. Start JupyterLab with `make lab` and open {path}."
OPEN = "Wrote the session. Open {path} in JupyterLab."

HEAD = """# Review of {date}

About {minutes} minutes. You have solved each of these before; now they are back with fresh numbers.
**Write them from memory first**: the hints and the lesson are there when memory fails, and using them is no shame.
When nothing helps, `check.solution("{example}")` shows one way.

What is green at the first try stays away for weeks; what takes several comes back sooner."""
PREPARE = "**Your turn:** run the next cell. There is nothing to write."
SETUP = """{imports}

check = open_review("{name}")"""
GIVEN = """
# The course's own versions of what your answers may build on.
from course_lib.numpy_kernels import {names}"""
GIVEN_FORWARD = "# Given: your function gets what this one keeps for it."
EXERCISE = """## {number} · `{exercise}`

*Lesson {lesson}, [{title}]({link}) · {minutes} minutes.* {why}"""
END = """**Done.** You may close this notebook and delete it. `course review --list` says what else is due, and
`course review` makes the next session."""
