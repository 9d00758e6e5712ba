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
LONG_NAME = "The name of this folder or file has more than {most} characters. Rename it to the learner's id."
FOREIGN_NAME = "The file is called {name}, which is another learner's name. It was not opened."
MIXED_UP = "{name} is a symbolic link or leaves the submission's folder. It was not opened."
SO_FAR = "{title}: {done} of {total}, {rate:.2f} a second, about {left:.0f} s left, failures: {failed}."
NO_LOG = "{path} cannot be written ({reason}). Give another file with --log."
STOPPED_GRADING = (
    "Stopped: {done} of {total} submissions are graded and kept, gradebook and pages are not written yet. "
    "Run the same command again: it goes on from here."
)
STOPPED_PUBLISHING = (
    "Stopped: all verdicts are kept, {done} of {total} pages are written. Run the same command again for the rest."
)
STOPPED_PAGES = "Stopped: {done} of {total} pages are written. Run the same command again for all of them."
STOPPED_REGRADING = (
    "Stopped: {done} of {total} submissions were judged again and are kept, no score was changed. "
    "Run the same command again: it goes on from here."
)
STOPPED_DRY_RUN = "Stopped after {done} of {total}. Nothing was written."
STOPPED_APPLYING = (
    "Stopped while changes were written. Run the same command again: it finds the same ones and writes them."
)
STOPPED_COLLECTING = (
    "Stopped: {done} of {total} entries were looked at. What was taken stays. Run the same command again for the rest."
)
HELD = (
    "With today's exercises the scores of {learners} submissions would fall although their answers are the same. They "
    "were left as they were: `course regrade {lesson} --dry-run` lists them, `course regrade {lesson} --confirm` "
    "writes them."
)
MANY_SUBMISSIONS = "Shown are the first {shown} to look at. `--json` lists all {total}."
WOULD_LEAK = "{name} was not written, because it would give answers away: {found}."
WALLS_MISSING = "{names}: {cause} {remedy}"
NOTHING_GRADED = "Nothing was graded: learners' code never runs without all walls. See `course doctor`."
