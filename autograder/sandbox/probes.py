"""What the doctor runs behind the walls: each function tries to get through one of them.

The text of this file is sent inside as if a learner had written it, so functions import what they need. Each
returns what it got hold of; nothing, where the wall stands. Who is trusted: nobody here; where it can be seen
from outside whether a wall stands, the doctor looks for itself.
"""

from __future__ import annotations

from typing import Any


def reached_files(paths: list[str], declared: list[str]) -> list[str]:
    """Files of the computer that can be read, and entries of the root folder that nobody declared."""
    import contextlib
    import os

    found = []
    for path in paths:
        with contextlib.suppress(OSError), open(path, "rb") as file:
            file.read(1)
            found.append(path)
    return found + [f"/{name}" for name in sorted(os.listdir("/")) if name not in declared]


def extra_packages(declared: list[str]) -> list[str]:
    """Packages that are there although the pool did not name them."""
    import importlib.machinery
    import os
    import sys

    found = ["torch"] if importlib.machinery.PathFinder.find_spec("torch") else []
    for folder in sys.path:
        if os.path.basename(folder) == "packages":
            found += [name for name in os.listdir(folder) if name not in declared]
        for masked in ("site-packages", "dist-packages"):
            place = os.path.join(folder, masked)
            found += [f"{place}/{name}" for name in os.listdir(place)] if os.path.isdir(place) else []
    return sorted(found)


def writable_places() -> list[str]:
    """Places that are not mounted read-only, or where a file could be made."""
    import contextlib
    import os
    import sys

    import numpy

    course_lib = [f"{folder}/course_lib" for folder in sys.path if folder.endswith("/view")]
    places = ["/opt", os.path.dirname(os.__file__), os.path.dirname(numpy.__file__), *course_lib]
    found = [place for place in places if not os.statvfs(place).f_flag & os.ST_RDONLY]
    for place in places:
        with contextlib.suppress(OSError), open(f"{place}/planted", "w"):
            found.append(place)
    return found


def leave_files() -> int:
    """Leave a file in /tmp and in the home folder."""
    import os

    for folder in ("/tmp", os.environ["HOME"]):
        with open(f"{folder}/left.txt", "w") as file:
            file.write("left")
    return 2


def left_files() -> list[str]:
    """Files that an earlier job left."""
    import os

    paths = [f"{folder}/left.txt" for folder in ("/tmp", os.environ["HOME"])]
    return [path for path in paths if os.path.exists(path)]


def kernel_files() -> list[str]:
    """What /proc shows."""
    import os

    return os.listdir("/proc")[:10]


def known_variables(name: str) -> list[str]:
    """The planted environment variable, if it came along."""
    import os

    return [name] if name in os.environ else []


def connections(port: int, name: str) -> list[str]:
    """Connections to listeners outside that can be made, or might: datagrams never say."""
    import contextlib
    import socket

    found = []
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        found.append("TCP")
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"hello", ("127.0.0.1", port))
        found.append("UDP")
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as sock:
        sock.connect(f"\0{name}")
        found.append("abstract socket")
    return found


def host_name() -> str:
    """The computer's name."""
    import os

    return os.uname().nodename


def other_processes() -> list[int]:
    """Processes that can be seen, by sending them no signal at all."""
    import os

    found = [os.getppid()] if os.getppid() else []
    for pid in range(1, 300):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            continue
        except PermissionError:
            pass
        found += [pid] if pid != os.getpid() else []
    return found


def started_processes() -> list[str]:
    """Ways to start a process or a program that work."""
    import contextlib
    import errno
    import os
    import sys

    found = []
    with contextlib.suppress(OSError):
        if os.fork() == 0:
            os._exit(0)
        found.append("fork")
    with contextlib.suppress(OSError):
        os.posix_spawn(sys.executable, [sys.executable, "-c", "pass"], {})
        found.append("spawn")
    try:
        os.execv("/there/is/nothing/here", ["nothing"])
    except OSError as error:
        found += [] if error.errno == errno.EPERM else ["exec"]
    return found


def open_descriptors(expected: list[int]) -> list[int]:
    """Descriptors that are open beside the expected ones, and standard streams that lead somewhere."""
    import os

    nothing, found = os.stat("/dev/null").st_rdev, []
    for number in range(256):
        try:
            status = os.fstat(number)
        except OSError:
            continue
        if number not in expected or (number < 3 and status.st_rdev != nothing):
            found.append(number)
    return found


def powers() -> list[str]:
    """Signs of a privileged process."""
    import ctypes
    import os

    libc = ctypes.CDLL(None)
    header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    libc.capget(header, sets)
    signs = {
        "root": 0 in (*os.getresuid(), *os.getresgid()),
        "capabilities": any(sets),
        "capabilities to gain": any(libc.prctl(23, number, 0, 0, 0) == 1 for number in range(64)),
        "new privileges": libc.prctl(39, 0, 0, 0, 0) != 1,
    }
    return [name for name, found in signs.items() if found]


def answered_calls(numbers: dict[str, int]) -> list[str]:
    """System calls that are not refused. Their arguments make no sense, so that nothing happens."""
    import ctypes
    import errno

    libc = ctypes.CDLL(None, use_errno=True)
    found = []
    for name, number in numbers.items():
        nonsense = [ctypes.c_long(-1)] * 6
        if libc.syscall(ctypes.c_long(number), *nonsense) != -1 or ctypes.get_errno() != errno.EPERM:
            found.append(name)
    return found


def spin() -> None:
    """Use processor time for ever, deaf to every signal that can be ignored."""
    import contextlib
    import signal

    for number in signal.valid_signals():
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    while True:
        pass


def sleep(seconds: float) -> str:
    """Use time but no processor."""
    import time

    time.sleep(seconds)
    return "woke up"


def taken_memory(size: int) -> list[str]:
    """Ways to get so many bytes that work; they are not touched."""
    import contextlib
    import mmap

    import numpy

    found = []
    with contextlib.suppress(MemoryError):
        numpy.empty(size, numpy.uint8)
        found.append("private memory")
    with contextlib.suppress(OSError):
        mmap.mmap(-1, size).close()
        found.append("shared memory")
    return found


def large_array(size: int) -> Any:
    """So many bytes to send."""
    import numpy

    return numpy.zeros(size, numpy.uint8)


def written_bytes(size: int) -> int:
    """How many bytes can be written in files of one megabyte, at most `size`. They are deleted again."""
    import os

    paths, written = [], 0
    try:
        while written < size:
            paths.append(f"/tmp/fill-{len(paths)}")
            with open(paths[-1], "wb", buffering=0) as file:
                written += file.write(b"x" * (1 << 20))
    except OSError:
        pass
    for path in paths:
        os.unlink(path)
    return written


def opened_files(count: int) -> int:
    """How many descriptors can be opened, at most `count`."""
    import contextlib
    import os

    opened = []
    with contextlib.suppress(OSError):
        while len(opened) < count:
            opened.append(os.dup(0))
    for number in opened:
        os.close(number)
    return len(opened)


def started_threads(count: int) -> int:
    """How many threads can run at once, at most `count`."""
    import contextlib
    import threading

    threading.stack_size(64 << 10)
    end, threads = threading.Event(), []
    with contextlib.suppress(RuntimeError):
        while len(threads) < count:
            thread = threading.Thread(target=end.wait)
            thread.start()
            threads.append(thread)
    end.set()
    for thread in threads:
        thread.join()
    return len(threads)
