"""Every sentence that `course site` shows to people, on its pages and in the terminal."""

NOT_A_SITE = "{folder} holds files that `course site` did not make. Give an empty or new folder with --output."
INSIDE_THE_COURSE = "{folder} holds the course itself. Give a folder of its own with --output."
NO_SPHINX = "`course site` needs Sphinx and its helpers. Install them: pip install 'deep-learning-course[site]'"
CELL_FAILED = "{lesson}: the solution's cell {cell!r} raised {error}. The site shows lessons that run; repair it first."
TOO_LONG = "{lesson}: a cell ran longer than {seconds} s. Nothing was kept."
KERNEL_DIED = "{lesson}: the kernel ended while the lesson ran (memory?). Nothing was kept."
NOT_RUN = "{lesson}: shown without pictures, since it was never run. Leave --no-execute out once."
OLD_RUN = "{lesson}: pictures come from an earlier run; lesson or library changed since."
NO_NOTEBOOK = "{path} is missing. Run `course generate {lesson}` first."
RUNNING = "Running {lesson}, cells"
BUILDING = "Building the pages (the first time about a minute) ..."
WRITTEN = "Wrote {pages} pages. Open {start} in a browser, or copy the folder to any web server."
BROKEN = "{page}: {problem}"
BROKEN_COUNT = "{count} links or pages are not as they should be."
NO_FORMULA = "The formula {formula!r} cannot be shown: {reason}"

# On the pages
SOLVED_TITLE = " (solved)"
NEEDS_AN_ANSWER = "What this cell shows depends on your answers. Run it in the notebook."
NO_OUTPUT_KEPT = "This page was built without running its cells: pictures and looks are missing."
SPOILER = (
    "**This page gives the answers away.** Every exercise is solved here. Try the [unsolved lesson]({page}) first."
)
READ_ONLY = (
    "You are reading lesson and looks without a kernel: the looks move, code does not run. To do the exercises, open "
    "`notebooks/{lesson}/{lesson}.ipynb` with `make lab`. Stuck after honest tries? There is a "
    "[solved view]({page}) of this lesson."
)
SOLUTION_OF = "Solution of <code>{exercise}</code> (spoiler)"
TASK_OF = "Back to the task <code>{exercise}</code>"
TO_THE_LESSON = "To lesson {title}"

# What is wrong with a page
NO_LANGUAGE = "the page does not say its language"
NO_TITLE = "the page has no title"
TWICE = "the id {name!r} stands twice"
STRANGER = "{address} comes from another host"
NO_PAGE = "{address} leads to no file of the site"
NO_ANCHOR = "{address} leads to no place on its page"
