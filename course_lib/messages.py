"""Every sentence that `course_lib` shows to learners, in one place. Whole sentences with named gaps."""

PASSED = "Right: all {cases} public cases agree with NumPy and Torch."
CONVENTION = "Almost: the values are right, one convention is missed."
NOT_YET = "Not yet: {failed} of {cases} cases fail."
NOT_STARTED = "Not started yet. Write your code in the cell above this one, run that cell, then run this check again."
SEE_ABOVE = "{name}: not passed yet, see above."
NOT_READY = "The exercise {name} is not solved yet. Solve it, then run this cell again."
NO_SUCH_EXERCISE = (
    "There is no exercise called '{name}'. Copy the check's line from the lesson, for example "
    'check("{near}", {near}).'
)
NOT_CALLABLE = (
    'check("{name}", ...) wants your function as its second argument, without brackets: check("{name}", {name}).'
)
NEEDS_OTHER = "`{name}` is checked together with `{other}`, which is not defined yet. Run the cell of `{other}` first."
LINE = "Line {line} of your code: `{text}` raised {type}: {message}"
RAISED = "It raised {type}: {message}"
MISTAKE = "This looks familiar: {says}"
RESULT = "Details, case '{case}': {message}"
MAP_CAPTION = "Where it differs (■ wrong, · right):"
LINE_ALONE = "Line {line} of your code raised {type}: {message}"
NAME_FIRST = 'check wants the name in quotes first, then your function, for example check("{near}", {near}).'
TOO_MUCH_MEMORY = "It needs more memory than this computer has."
NOT_REACHED = "Case '{case}' was never reached."
QUESTION_RIGHT = "Right. {explanation}"
QUESTION_WRONG = "{answer} is not it. Read the question again with your numbers: {text}"
QUESTION_FAMILIAR = "{answer} is not it. {says}"
QUESTION_EMPTY = "`{name}` is still empty. Set it to your number, without quotes, and run this cell again."
QUESTION_NOT_A_NUMBER = "`{name}` must be one number, for example {name} = 42. It is {kind} now."
SHEET_TITLE = "Exam corner, numbers of {learner}"
ROUNDING = "Round to {decimals} decimals."
ROUNDING_ONE = "Round to 1 decimal."
WHOLE_NUMBER = "A whole number."

RESULT_NAME = "Result{where}"
WRONG_NUMBER = "{place} is {received}; expected {expected}."
WRONG_NUMBERS = "{place} at index {index} is {received}; expected {expected}. {wrong} of {size} numbers differ."
WRONG_KIND = "{place} is {received}; expected {expected}."
WRONG_COUNT = "{place} has {received} values; expected {expected}."
OTHER_KEYS = "{place} has other keys than expected: {names}."
NOT_NUMBERS = "{place} does not hold numbers."
COMPLEX = "{place} is {dtype}; expected real numbers."
LESS_PRECISE = "{place} was computed in {dtype}; expected {expected}. The formula is right, precision was lost."
WRONG_SHAPE = "{place} has shape {received}; expected {expected}."
WRONG_SHAPE_RIGHT_NUMBERS = "{place} has shape {received}; expected {expected}. The numbers are right."
TRANSPOSED = "{place} has shape {received}; expected {expected}. It is the transpose of what was expected."
NONE = "None (is a return statement missing?)"
OBJECT = "an object of type {name}"
ARRAY = "an array of shape {shape}"
VALUES = "{count} values"
A_NUMBER = "a number"
A_DICT = "a dict"
DTYPE_NOT_KEPT = "{expected} goes in, {received} comes out: keep the dtype of the inputs."
INPUT_CHANGED = "Your code changes its input `{name}`. Work on a copy: the caller still needs it."
BREAKS_WHEN_LARGE = "Large inputs break it. {message}"
FOUR_WEIGHTS = "Return four arrays: w1, b1, w2, b2."
NO_REAL_ARRAY = "{name} is no array of real numbers. Make it with np.array."
NOT_FINITE = "{name} holds numbers that are not finite."
TURNED_OUTPUT = "w2 is turned. It has one row per output: shape (1, H), with two brackets around the row."
CORNER = "corner ({a1:.0f}, {a2:.0f})"
CORNER_ANSWERS = (
    "a clear no (below 0.4)",
    "an unclear no (0.4 to 0.5)",
    "an unclear yes (0.5 to 0.6)",
    "a clear yes (above 0.6)",
)
NO_NUMBER_ANSWER = "no number: something overflows on the way"
NEW_POINTS = "class at new points"
OTHER_WORDS = "{place} is {received}; expected {expected}."
ONE_HIDDEN_UNIT = "There is one hidden unit. One line cannot separate XOR: use at least two."
WEIGHTS_AND_BIASES = "Return two arrays: w, b."
DRAWS_LABELS = {
    "shape": "shape of {name}",
    "dtype": "dtype of {name}",
    "middle": "mean of {name}",
    "evenness": "how {name} lies between its limits",
    "reach": "largest square in {name}",
}
DRAWS_MIDDLE = {-1: "below zero", 0: "about zero", 1: "above zero"}
DRAWS_EVENNESS = {
    "even": "evenly",
    "middle": "crowded in the middle",
    "ends": "crowded at the ends",
    "repeated": "the same numbers again and again",
}
DRAWS_REACH = "about {square} / {fan}"
DRAWS_INPUTS = "n_in"
DRAWS_CONNECTIONS = "(n_in + n_out)"
DRAWS_REPEATED = "{name} with {which}"
DRAWS_SAME = {True: "the same numbers", False: "other numbers"}
REFUSED = "ValueError"
NOT_REFUSED = "no error"
ORDER_OF_NAMES = "Return a list of the names in graph."
ORDER_UNKNOWN = "Your list has {name}, which is no name in graph."
ORDER_RIGHT = "once, after what it is computed from"
ORDER_MISSING = "missing"
ORDER_TWICE = "{count} times"
ORDER_TOO_EARLY = "before {names}"
WHOLE_NUMBERS = "whole numbers"
NOT_WHOLE = "not whole numbers"
RETURNS_NOTHING = "Your function returns nothing (None). Is the return statement missing?"
RETURNS_ONE_THING = "Your function returns one {type}; the task asks for several things: return a, b."

COUNT_CAPTION = "One example of float32; 'sees' is the part of the input that one output depends on."
COUNT_LAYER = "{name} ({kind}): {problem}"
COUNT_NEEDS_IMAGE = "it takes an image (C, H, W), and {shape} comes in."
COUNT_NEEDS_VECTOR = "it takes a vector (D,), and {shape} comes in. Put Flatten before it."
COUNT_TOO_SMALL = "its window of {window} is larger than the padded image of {size}."
COUNT_GROUPS = "{before} channels in and {after} out do not divide into {groups} groups."
COUNT_RESIDUAL = "{name}: the body ends with {body} and the shortcut with {shortcut}; their sum needs equal shapes."
COUNT_CONCAT = "{name}: the branches end with {shapes}; stacking needs images of equal height and width."

GRADIENTS_RIGHT = "✓ {name}: every gradient agrees with differences."
GRADIENTS_WRONG = "✗ {name}: not right yet."
GRADIENT_RIGHT = "right"
GRADIENT_UNKNOWN = "nothing to compare"
GRADIENT_OF = "Gradient of {name}: {says}"
GRADIENT_CORNERS = "{name}: {left_out} entries lie at a corner of the function and were left out."
GRADIENT_COUNT = "The backward pass returns {received} gradients; expected {expected}, in this order: {names}."
GRADIENT_NO_INPUTS = "There is nothing to differentiate by. Pass arrays of floating numbers; the inputs are: {names}."
GRADIENT_FORWARD_NOT_FINITE = "The forward pass gives NaN or infinity at this point, so nothing can be compared."
GRADIENT_FORWARD_VARIES = "The forward pass gives another result when called again. Fix its random draw for the check."
GRADIENT_CHANGES_INPUTS = "An input or the upstream gradient is changed in place. Work on copies."
GRADIENT_NO_ARRAY = "it is no array of numbers but of type {type}."
GRADIENT_SHAPE = "it has shape {received}; expected {expected}, the shape of the input."
GRADIENT_SHAPE_ONLY = "the numbers are right, but it has shape {received}; expected {expected}."
GRADIENT_TRANSPOSED_SHAPE = "it is transposed: shape {received}; expected {expected}."
GRADIENT_TRANSPOSED = "it is transposed."
GRADIENT_NOT_SUMMED = "it is not summed over axis {axes}: it has shape {received}; expected {expected}."
GRADIENT_NOT_FINITE = "it holds NaN or infinity."
GRADIENT_ZERO = "it is zero everywhere."
GRADIENT_SIGN = "the sign is wrong everywhere."
GRADIENT_AND_SIGN = " The sign is wrong too."
GRADIENT_TIMES_N = "it is {n} times too large, and {n} is the batch size. Is a mean treated as a sum?"
GRADIENT_OVER_N = "it is {n} times too small, and {n} is the batch size. Is it divided once too often?"
GRADIENT_RATIO = "it is {ratio} times what it should be, everywhere. Look for a constant factor."
GRADIENT_RATIO_SIZE = "it is {ratio} times what it should be, everywhere; axis {axis} of the output has size {size}."
GRADIENT_UPSTREAM = "it is what an upstream gradient of ones would give. Multiply by `dout`."
GRADIENT_ONE_EXAMPLE = "only example {example} of {n} counts. Add the contributions of all, do not overwrite them."
GRADIENT_FLIPPED = "the last two axes are flipped."
GRADIENT_OFFSET = "it is too large by the same {offset} everywhere."
GRADIENT_MISSING = "{wrong} of {size} entries are zero and should not be; at index {index} expected {expected}."
GRADIENT_NOT_ZERO = "{wrong} of {size} entries should be zero; at index {index} it is {received}. Is a mask missing?"
GRADIENT_ON_LINE = "only index {place} on axis {axis} is wrong; at {index} it is {received}, expected {expected}."
GRADIENT_VALUES = "{wrong} of {size} entries differ; at index {index} it is {received}, expected {expected}."

TRAINING_STARTED = "epoch {epoch}/{epochs}"
TRAINING_EPOCH = "epoch {epoch}/{epochs}  loss {loss:.4f}  accuracy {accuracy:.1%}"
TRAINING_VALIDATION = "  validation loss {loss:.4f}  accuracy {accuracy:.1%}"
TRAINING_ENDED = "  ({ended})"
TRAINING_NO_VALIDATION = "Early stopping watches the validation loss. Pass validation examples, or leave patience out."
TRAINING_LENGTHS = "The {name} data have {x} inputs and {y} targets; expected as many of both, at least one."

NOT_A_MODULE = "It makes a {kind}; expected a torch.nn.Module. Derive the class from torch.nn.Module."
MODULE_SHAPES = "{count} arrays: {shapes}"
MODULE_COUNT = (
    "It has {received} parameter arrays; expected {expected}. Layers in a plain list are not found: use "
    "torch.nn.ModuleList, and register only the layers asked for."
)
MODULE_SHAPE = (
    "Its parameter number {number} has the shape {received}; expected {expected}. Register the layers with these "
    "sizes, in the order of the docstring."
)
MODULE_NO_GRADIENT = "Its parameter number {number}, of shape {shape}, gets no gradient: forward does not use it."
LEARNED_ALL = "all {count} examples learned"
LEARNED_SOME = "not all {count} examples learned"

DROPOUT_SHAPE = "shape of out"
DROPOUT_ZEROS = "share of zeros"
DROPOUT_KEPT = "entries that stay"
DROPOUT_MEAN = "mean of out / x"
DROPOUT_DRAWN = "what is drawn"
DROPOUT_DROPPED = "a dropped entry"
DROPOUT_SHAPES = ("that of x", "another one")
DROPOUT_SHARES = ("p", "1 - p", "none", "all", "less than p", "more than p")
DROPOUT_FACTORS = ("x", "x / (1 - p)", "x * (1 - p)", "x / p", "x * p", "something else", "none stays")
DROPOUT_MEANS = ("about 1", "too small for that", "too large for that")
DROPOUT_DRAWS = ("each entry by itself", "one draw for all along axis {axis}", "all entries have the same fate")
DROPOUT_MASKS = ("the same entries are zero", "other entries are zero")
DROPOUT_LEFT = ("as it was", "changed")
DROPOUT_FEW = "drawn for too few entries"
DROPOUT_UNKNOWN = "cannot be said, as the shape is another one"
DROPOUT_UNFIT = "dropout_forward does not keep the shape of x. Repair it first; then run this check again."
DROPOUT_SHAPE_OF_DX = "shape of dx"
DROPOUT_SHAPES_OF_DX = ("that of dout", "another one")
DROPOUT_SILENCED = "dx is zero"
DROPOUT_SILENCES = ("where out is zero and nowhere else", "in other places than out", "nowhere")
DROPOUT_PASSED = "entries of dx that are not zero"
DROPOUT_SCALES = (
    "dout times the factor of the forward pass",
    "dout",
    "dout times the factor twice",
    "dout divided by the factor",
    "something else",
    "there are none",
)

DEPTH_SHAPE = "shape of out"
DEPTH_EXAMPLES = "examples"
DEPTH_DROPPED = "share of dropped branches"
DEPTH_AGAIN = "{label}, dropped branches"
DEPTH_DTYPE = "an entry"
DEPTH_SHAPES = ("that of x", "another one")
DEPTH_VALUES = ("x or x + f / (1 - p), each as a whole", "something else, or only in part")
DEPTH_SHARES = ("p", "1 - p", "less than p", "more than p", "all examples have the same fate")
DEPTH_FATES = ("other examples", "the same examples")

STUCK = (
    'Stuck? The hints above open one by one; after {needed} honest attempts solution("{name}") shows one way. '
    "(Once: from course_lib import solution)"
)
STUCK_ENOUGH = (
    'Stuck? The hints above open one by one, and solution("{name}") now shows one way. '
    "(Once: from course_lib import solution)"
)
STUCK_QUESTION = (
    'Stuck? After {needed} honest attempts solution("{name}") shows one way. (Once: from course_lib import solution)'
)
STUCK_QUESTION_ENOUGH = 'Stuck? solution("{name}") now shows one way. (Once: from course_lib import solution)'
STUCK_CLASS = "Stuck? The hints above open one by one. And ask: your instructor has an answer to this one."

SOLUTION_TITLE = "One way to write `{name}`. Read it, close it, and write your own."
SOLUTION_TITLE_QUESTION = "One way to compute `{name}`. Read it, close it, and compute it yourself."
SOLUTION_UNKNOWN = (
    "There is nothing called '{name}' to solve. Give the name in quotes, for example solution(\"{near}\")."
)
SOLUTION_NOT_HERE = "This copy of the course holds no solutions. Ask your instructor about `{name}`."
SOLUTION_WAIT = (
    'The solution opens after {left} more honest attempts: other code each time, checked with check("{name}", ...). '
    'solution("{name}", now=True) shows it at once, and your progress will say so.'
)
SOLUTION_WAIT_ONE = (
    'The solution opens after one more honest attempt: other code, checked with check("{name}", ...). '
    'solution("{name}", now=True) shows it at once, and your progress will say so.'
)
SOLUTION_NO_JOURNAL = (
    "Your journal is off or cannot be read, so attempts are not counted. "
    'solution("{name}", now=True) shows the solution at once.'
)

PROGRESS_TITLE = "Your progress"
PROGRESS_COLUMNS = ("Lesson", "Exercises", "Exam corner", "Time")
PROGRESS_COUNT = "{passed} of {total}"
PROGRESS_MINUTES = "{minutes} min"
PROGRESS_HOURS = "{hours} h {minutes:02d} min"
PROGRESS_EMPTY = (
    "Nothing here yet, and that is how everybody begins. Run a check in a lesson, right or wrong, then look again."
)
PROGRESS_OFF = "Your journal is off (COURSE_JOURNAL=off), so nothing is known about your progress."
PROGRESS_UNREADABLE = "Your journal cannot be read ({path}: {why})."
PROGRESS_NEXT = "Next: {name} in {lesson}."
PROGRESS_ALL_DONE = "All of it is passed. `course review` brings exercises back before you forget them."
PROGRESS_ALL_DONE_HERE = "All of this lesson is passed."
PROGRESS_OBSTACLES = "Met and not overcome yet"
PROGRESS_OBSTACLE = "{name}: {sentence}"
PROGRESS_OBSTACLE_TIMES = "{name} ({times} times): {sentence}"
PROGRESS_MORE_OBSTACLES = "And {count} more."
PROGRESS_SEEN = "Solutions"
PROGRESS_SEEN_OPEN = "{name}: solution seen, not passed yet"
PROGRESS_SEEN_PASSED = "{name}: passed after the solution"
PROGRESS_TIME_NOTE = (
    "Time is the sum of the gaps between one check and the next, breaks of 20 minutes and more left out: "
    "reading before the first check does not show."
)
PROGRESS_DAMAGED = "{count} lines of the journal are damaged and were left out."
PROGRESS_DAMAGED_ONE = "One line of the journal is damaged and was left out."
PROGRESS_FILE = "This is kept in {path} and nowhere else."
PROGRESS_FORGOTTEN = "Deleted {path}. Your notebooks are as they were."
PROGRESS_NOTHING_TO_FORGET = "There is no journal, so there is nothing to delete."
PROGRESS_ASK_FORGET = "Delete {path}? Progress and review dates are lost; notebooks stay as they are. [y/N] "
PROGRESS_KEPT = "Nothing was deleted."
PROGRESS_USAGE = "Show how far you are in the course, from the journal on this computer."
PROGRESS_FORGET_HELP = "Delete the journal, after a question."

JOURNAL_NOT_WRITTEN = "Your progress could not be written down ({path}: {why}). Checks work all the same."

REVIEW_PASSED = "Right: all {cases} fresh cases agree with NumPy and Torch."
REVIEW_NO_FILE = (
    "The numbers of this review are missing: {name} should lie beside this notebook. Keep the two together, or run "
    "`course review` for a new one."
)
REVIEW_DAMAGED = "{name}, which holds the numbers of this review, cannot be read. Run `course review` for a new one."
REVIEW_NOT_HERE = "'{name}' is not in this review. It asks for: {names}."
