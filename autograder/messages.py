"""Every sentence that grading shows to people, in one place. Whole sentences with named gaps, never fragments."""

MISSING = "There is no `{exercise}` in the notebook. Its cell was deleted or renamed: define `{exercise}` again."
NOT_STARTED = "Not started: the cell still raises NotImplementedError."
NO_NUMBER = "Not answered yet: `{exercise}` is still None."
NOT_DEFINED = "`{exercise}` could not be defined: {error}"
CODE_ERROR = "{label}, line {line}: `{text}` raised {type}: {message}"
CODE_ERROR_ELSEWHERE = "It raised {type}: {message}"
TIME_LIMIT = "Case '{case}' ran longer than {seconds:.0f} s of processor time. Is there a loop that never ends?"
WALL_CLOCK = "Case '{case}' did not come back in time although it used little processor time. Does it sleep or wait?"
MEMORY_LIMIT = "Case '{case}' needed more than {megabytes} MB of memory."
OUTPUT_LIMIT = "Case '{case}' returned far more data than expected."
CRASHED = "Case '{case}' ended the Python process (os._exit, a signal or a crash in native code)."
WITH_REFERENCE = "Right. It was judged with the course's own {names}, because yours does not pass yet."
WRONG_BESIDE_ENDLESS = "Wrong beside the course's own {names}. (Yours did not end in time, so it was not used.)"
WRONG_BESIDE_REFERENCE = "{message} (It is wrong beside the course's own {names}, too.)"
DISPUTED = "The two references disagree on a case: this is our fault, and no points are lost."
SANDBOX_TROUBLE = "The grading machine had trouble ({error}). Grade this submission again."
OTHER_LEARNER = (
    "The answer is right for the numbers of '{declared}', not for those of '{learner}'. "
    "A person should look: LEARNER in the notebook's set-up cell may be wrong."
)
WORKER_SEES_NOTHING = (
    "The cluster's worker on {host} does not see {folder}. Every worker needs the course's folder under the same path."
)
WORKER_DIFFERS = (
    "The cluster's worker on {host} would judge by other rules: its course files, Python or packages are not those of "
    "this computer, or changed since it started. Make them equal and start the workers again."
)
WORKER_WITHOUT_WALLS = (
    "The cluster's worker on {host} lacks walls ({names}): {why} Run `course doctor` there. Learners' code never runs "
    "without all walls."
)
RECOVERED = "The file was damaged: {problems}."
SOME_MISSING = "Some cells are missing or broken in the file: {names}."
SUBMISSION_NEEDS_A_PERSON = "A person should look at: {names}."
EMPTY_FOLDER = "There is no notebook in this submission."
TWO_NOTEBOOKS = "There are several notebooks ({names}) and none is called {expected}. Keep one."
TWO_PLACES = "This learner appears more than once ({names}). Keep one."
UNPRINTABLE_NAME = "The name of this folder or file is not valid text. Rename it to the learner's id."
FOREIGN_NAME = "The file is called {name}, which is another learner's name. It was not opened."
MIXED_UP = "{name} is a symbolic link or leaves the submission's folder. It was not opened."
