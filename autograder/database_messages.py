"""Every sentence about the gradebook's database, in one place. Whole sentences with named gaps, never fragments."""

NO_GRADEBOOK = "{where}: there is no gradebook yet. Run `course generate` first."
NOT_NBGRADERS = "{where}: the database holds no gradebook of nbgrader. Run `course init` first."
NO_URL = "That is no database's URL. Write postgresql://USER@HOST/NAME, or sqlite:////FOLDER/FILE for a file."
UNKNOWN_KIND = "There is no gradebook in a database of the kind {kind!r}. Write postgresql://USER@HOST/NAME."
NO_DRIVER = (
    "PostgreSQL needs the Python package {module}, which is not installed. In the project's folder run "
    "`make postgres`, or `pip install --require-hashes -r pins.txt -r pins-postgres.txt`."
)
UNREACHABLE = (
    "{where}: no PostgreSQL server answers ({said}). Start it, or mend host and port in the URL, and run again."
)
WRONG_PASSWORD = (
    "{where}: the server refused this user or password ({said}). Put the password into ~/.pgpass, as "
    "docs/instructor.md shows, and run again."
)
NO_DATABASE = "{where}: the server has no database of that name. Make one with `createdb`, and run again."
LOCKED = "{where}: another program keeps the gradebook locked. Close it (formgrader, a database viewer) and run again."
REFUSED = "{where}: the gradebook refused: {said}. Nothing was written."
REMEMBERED = "The gradebook is {where}. Every command in this folder uses it, nbgrader's own too."
WITHOUT_PASSWORD = "The password was not remembered. Put it into ~/.pgpass, as docs/instructor.md shows."
WAITING = "{holder} is grading {lesson} in this course. This command goes on when it has finished; Ctrl-C ends it."
HOLDER = "Process {process} of {computer}"
SOMEBODY = "Another process"
NO_LOCKS = "{path} cannot be locked ({said}). Let run/ lie on a local disk, or on a network disk that has locks."
