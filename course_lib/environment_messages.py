"""Every sentence that `environment()` shows."""

CAPTION = "Is everything ready on this computer?"
WHAT, HOW = "What", "How it is"
WELL, NOTE, MEND = "well", "for your information", "please mend"
ALL_WELL = "All is well. Nothing is left to prepare."
TO_MEND = "{count} of {lines} lines ask for something. The course works as far as the others allow."
ONE_TO_MEND = "One line asks for something. The course works as far as the others allow."

PYTHON, NUMPY, TORCH, DEVICE, LOOKS, JOURNAL = "Python", "NumPy", "Torch", "Graphics card", "Looks", "Your journal"

PYTHON_FINE = "Version {version}."
PYTHON_OLD = "Version {version} is too old: the course needs {needed} or newer."
PYTHON_OLD_DO = "Install Python {needed} or newer, then run `make clean` and `make lab` in the course's folder."

NUMPY_FINE = "Version {version}. Your answers are written with it."
NUMPY_OLD = "Version {version}; the course is made for NumPy {needed} or newer."
NUMPY_MISSING = "It is not installed, and nothing works without it."

TORCH_FINE = "Version {version}. It checks every formula a second time, and trains the labs."
TORCH_MISSING = "It is not installed. You can solve exercises and check them; labs and many pictures wait for it."
TORCH_BROKEN = "It is installed and does not start: {why}"
PACKAGE_DO = (
    "Close JupyterLab and start it with `make lab`: that installs what is missing (without make: docs/index.md)."
)

GPU_FINE = "{name}. Labs use it."
GPU_NONE = "Torch found none, and you need none: the processor ({threads}) is enough for every cell."
GPU_APPLE = "Apple's. The course leaves it alone: the processor ({threads}) is enough for every cell."
GPU_ASLEEP = "This computer has one, and Torch cannot use it. The processor ({threads}) is enough for every cell."
GPU_ASLEEP_DO = "Only if you want it: `nvidia-smi` in a terminal says what is wrong, most often an old driver."
GPU_OTHER_BUILD_DO = (
    "Only if you want it: this Torch is built without CUDA; pytorch.org shows how to install the other."
)
GPU_UNKNOWN = "Torch would have to be asked, and it does not start."
ONE_THREAD = "1 thread"
THREADS = "{count} threads"

LOOKS_ALIVE = "They come alive here: the browser asked Python, and Python answered after {ms} ms."
LOOKS_WAITING = "The browser draws them. It has asked Python and waits for the answer."
LOOKS_STILL = "Here they are still pictures: nothing links this text to Python."
LOOKS_STILL_DO = "Open the notebook in JupyterLab, started with `make lab`, and run this cell again."
LOOKS_MISSING = "They need the package {package}, which is not installed: you see still pictures, or none."

JOURNAL_FINE = "{path}. What you solve is noted there, on this computer only."
JOURNAL_OFF = "It is off: nothing is noted, and `progress()` stays empty."
JOURNAL_OFF_DO = "To keep one, start JupyterLab without COURSE_JOURNAL=off."
JOURNAL_LOCKED = "{path} cannot be written ({why}). Checks work; `progress()` will not remember them."
JOURNAL_LOCKED_DO = "Free some space or mend the permissions, or name another file: COURSE_JOURNAL=FILE make lab."
