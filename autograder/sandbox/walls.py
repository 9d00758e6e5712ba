"""The one table of walls and limits, and the code that raises them.

Two rings. The outer one stands around the warm server and is raised once, by bubblewrap, from the command
that `outer_walls` writes. The inner one stands around each job and is raised by the forked child itself, with
`leave_family` and `raise_inner_walls`, before it reads a byte of the learner's code. A wall that cannot be
raised raises `WallError`: no job runs behind half a wall.

Who is trusted: everything here runs before the learner's code. The course doctor removes each wall in turn
to prove that it would notice.
"""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import PurePosixPath

from autograder.sandbox import seccomp

PYTHON, LIBRARIES, PACKAGES = "/opt/python", "/opt/libraries", "/opt/packages"
VIEW, COURSE = "/opt/view", "/opt/course"
TMP, HOME = "/tmp", "/tmp/home"
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
HOST_NAME = "course"
SERVER_TMP_BYTES = 1 << 20
JOB_FD, CONTROL_FD, MAX_FD = 3, 10, (1 << 31) - 1
# Root cannot be held to a number of threads, so jobs of a root pool run as this user, whom no system uses.
NOBODY = 65_532
LEARNER = 1000


@dataclass(frozen=True)
class Limits:
    """What one job may use. Hitting a limit costs the learner only what was running.

    Args:
        cpu_seconds: processor time of one load or one play, all threads together.
        wall_seconds: time on the clock for the same; a backstop for code that sleeps.
        memory_bytes: address space beyond what the fresh child has.
        reply_bytes: largest reply.
        disk_bytes: room in the private /tmp and home together, and the largest file.
        files: number of files there.
        open_files: descriptors open at once.
        threads: threads at once, the first one included.
    """

    cpu_seconds: float = 10.0
    wall_seconds: float = 45.0
    memory_bytes: int = 1 << 30
    reply_bytes: int = 64 << 20
    disk_bytes: int = 16 << 20
    files: int = 1000
    open_files: int = 64
    threads: int = 32


@dataclass(frozen=True)
class Walls:
    """Which walls stand. Every one of them; removing one is for the doctor's own tests.

    Args:
        files: the computer's files are not there; the root holds only what this module puts there.
        packages: beside the standard library only the packages that the pool names.
        read_only: everything that is there is mounted read-only, the private /tmp apart.
        private_tmp: /tmp and home are new and empty in every job, and gone with it.
        kernel_files: /proc is empty.
        environment: the environment holds only what `ENVIRONMENT` says.
        network: a network of its own without any interface; only local sockets can be made.
        ipc: message queues and shared memory of its own.
        host_name: the computer's name is not told.
        other_processes: a process namespace of its own; nobody else can be seen or sent a signal.
        new_processes: no fork, no program can be started; threads can.
        descriptors: no descriptor of the server is open; 0 to 2 are /dev/null.
        identity: an ordinary user without any capability, who can never gain one.
        system_calls: calls that no exercise needs are refused, see `seccomp.DANGEROUS`.
        cpu_time: `Limits.cpu_seconds` holds.
        wall_clock: `Limits.wall_seconds` holds.
        memory: `Limits.memory_bytes` holds.
        reply: `Limits.reply_bytes` holds.
        disk: `Limits.disk_bytes` and `Limits.files` hold.
        open_files: `Limits.open_files` holds.
        threads: `Limits.threads` holds.
    """

    files: bool = True
    packages: bool = True
    read_only: bool = True
    private_tmp: bool = True
    kernel_files: bool = True
    environment: bool = True
    network: bool = True
    ipc: bool = True
    host_name: bool = True
    other_processes: bool = True
    new_processes: bool = True
    descriptors: bool = True
    identity: bool = True
    system_calls: bool = True
    cpu_time: bool = True
    wall_clock: bool = True
    memory: bool = True
    reply: bool = True
    disk: bool = True
    open_files: bool = True
    threads: bool = True


WALLS = Walls()

ENVIRONMENT: Mapping[str, str] = {
    "HOME": HOME, "TMPDIR": TMP, "USER": "learner", "LOGNAME": "learner", "LANG": "C.UTF-8",
    "LD_LIBRARY_PATH": LIBRARIES, "PYTHONHOME": PYTHON, "PYTHONPATH": f"{VIEW}:{PACKAGES}:{COURSE}",
    "PYTHONSAFEPATH": "1", "PYTHONNOUSERSITE": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1",
    # Sets and random numbers come out the same in every job: the same submission gets the same verdict.
    "PYTHONHASHSEED": "0",
    # A fork of a process that once ran several threads hangs; and each arena reserves 64 MiB of addresses.
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1",
}  # fmt: skip


class WallError(Exception):
    """A wall could not be raised."""


@dataclass(frozen=True)
class Ground:
    """What is carried inside, as paths on this computer.

    Args:
        python: the interpreter's binary, without links.
        library: the standard library's folder.
        lib_name: the interpreter's own name for its library folder, "lib" or "lib64".
        loader: the dynamic loader, which programs name by absolute path.
        libraries: shared libraries, by file name.
        packages: entries of the packages folder that are carried along.
        all_packages: the whole packages folder, carried along when the wall `packages` is missing.
        view: entries of the course view.
        course: the modules of the sandbox itself, by path under `COURSE`.
    """

    python: str
    library: str
    lib_name: str
    loader: str
    libraries: Mapping[str, str]
    packages: Sequence[str]
    all_packages: str
    view: Sequence[str]
    course: Mapping[str, str] = field(default_factory=dict)


def outer_walls(bwrap: str, ground: Ground, walls: Walls, *, root: bool) -> list[str]:
    """The bubblewrap command that raises the outer ring; the program to run follows it.

    Args:
        bwrap: path of bubblewrap.
        ground: what is carried inside.
        walls: which walls stand.
        root: true when the pool runs as root; then no user namespace is needed for the server.
    """
    command = [bwrap, "--die-with-parent", "--new-session", "--unshare-pid", "--unshare-cgroup-try"]
    # A root server keeps the two capabilities with which its children become somebody else.
    powers = ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    command += powers if root else ["--unshare-user"]
    command += ["--unshare-net"] if walls.network else []
    command += ["--unshare-ipc"] if walls.ipc else []
    command += ["--unshare-uts", "--hostname", HOST_NAME] if walls.host_name else []
    command += ["--clearenv"] if walls.environment else []
    for name, value in ENVIRONMENT.items():
        command += ["--setenv", name, value]
    return command + _mounts(ground, walls) + ["--chdir", "/"]


def _mounts(ground: Ground, walls: Walls) -> list[str]:
    bind = "--ro-bind" if walls.read_only else "--bind"
    stdlib = f"{PYTHON}/{ground.lib_name}/{os.path.basename(ground.library)}"
    masks = [name for name in ("site-packages", "dist-packages") if os.path.isdir(f"{ground.library}/{name}")]
    new = [] if walls.files else ["--ro-bind", "/", "/", "--tmpfs", "/opt"]
    pairs = [(ground.loader, ground.loader)] if walls.files else []
    pairs += [(ground.python, f"{PYTHON}/bin/python3"), (ground.library, stdlib)]
    pairs += [(path, f"{LIBRARIES}/{name}") for name, path in ground.libraries.items()]
    packages = [(path, f"{PACKAGES}/{os.path.basename(path)}") for path in ground.packages]
    pairs += packages if walls.packages else [(ground.all_packages, PACKAGES)]
    pairs += [(path, f"{VIEW}/{os.path.basename(path)}") for path in ground.view]
    pairs += [(path, f"{COURSE}/{name}") for name, path in ground.course.items()]
    targets = [target for _, target in pairs] + list(DEVICES if walls.files else ())
    # Bubblewrap makes folders on the way that only their owner may enter, and jobs may be another user.
    for folder in sorted({str(parent) for target in targets for parent in PurePosixPath(target).parents} - {"/"}):
        new += ["--perms", "0755", "--dir", folder]
    for source, target in pairs:
        new += [bind, source, target]
    if walls.packages:
        new += [part for name in masks for part in ("--perms", "0755", "--tmpfs", f"{stdlib}/{name}")]
    new += [part for path in DEVICES for part in ("--dev-bind", path, path)]
    # The server's own /tmp, which every job covers with a private one. Without that wall, jobs share this one; it
    # has the same size, so that only one wall is missing.
    mode, size = ("0755", SERVER_TMP_BYTES) if walls.private_tmp else ("1777", Limits.disk_bytes)
    new += ["--perms", mode, "--size", str(size), "--tmpfs", TMP, "--perms", mode, "--dir", HOME]
    new += ["--proc", "/proc"]
    if walls.read_only:
        places = [f"{stdlib}/{name}" for name in masks] if walls.packages else []
        places += ["/"] if walls.files else ["/opt"]
        new += [part for place in places for part in ("--remount-ro", place)]
    return new


_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]
_libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]

NEW_NS, NEW_IPC, NEW_USER, NEW_PID, NEW_NET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 0x4000, 0x40000
PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 4, 24, 22, 38, 47
SECCOMP_MODE_FILTER, PR_CAP_AMBIENT_CLEAR_ALL = 2, 4
CAPABILITY_VERSION_3 = 0x20080522


def _check(result: int, what: str) -> None:
    if result != 0:
        raise WallError(f"{what}: {os.strerror(ctypes.get_errno())}")


def _prctl(what: str, option: int, first: int = 0, second: int = 0) -> None:
    _check(_libc.prctl(option, first, second, 0, 0), what)


def leave_family(walls: Walls) -> None:
    """Give up root and enter new namespaces. The caller forks next: the child is alone in them.

    Raises:
        WallError: the kernel refuses, or its settings do.
    """
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        # Changing the user made /proc/self root's; the maps below must be written by ourselves.
        _prctl("becoming somebody else", PR_SET_DUMPABLE, 1)
    user, group = os.geteuid(), os.getegid()
    flags = NEW_USER | NEW_NS
    flags |= NEW_PID if walls.other_processes else 0
    flags |= NEW_NET if walls.network else 0
    flags |= NEW_IPC if walls.ipc else 0
    _check(_libc.unshare(flags), "new namespaces")
    inside = LEARNER if walls.identity else 0
    for name, text in (("setgroups", "deny"), ("uid_map", f"{inside} {user} 1"), ("gid_map", f"{inside} {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="utf-8") as file:
            file.write(text)


def raise_inner_walls(walls: Walls, limits: Limits) -> None:
    """Raise everything else, in the child that will run the job. Descriptors come first, see `close_descriptors`.

    Raises:
        WallError: a wall could not be raised.
    """
    addresses = _address_space()
    _mount_private_places(walls, limits)
    for what, value in _resource_limits(walls, limits, addresses).items():
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (value, value))
    if walls.identity:
        _drop_capabilities()
    # No core file, and nobody may look into this process, not even under the same user.
    _prctl("no core files", PR_SET_DUMPABLE, 0)
    _prctl("no new privileges", PR_SET_NO_NEW_PRIVS, 1)
    _install_filter(walls)


def close_descriptors(job: int, walls: Walls) -> int:
    """Leave open only the job's socket, as `JOB_FD`, which is returned, and /dev/null as 0, 1 and 2."""
    os.dup2(job, JOB_FD, inheritable=False)
    if walls.descriptors:
        nothing = os.open("/dev/null", os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        os.closerange(JOB_FD + 1, MAX_FD)
    return JOB_FD


def _address_space() -> int:
    with open("/proc/self/statm", encoding="utf-8") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _mount(target: str, kind: str | None, flags: int, options: str = "") -> None:
    name = kind.encode() if kind else None
    _check(_libc.mount(name, target.encode(), name, flags, options.encode()), f"mounting {target}")


def _mount_private_places(walls: Walls, limits: Limits) -> None:
    _mount("/", None, MS_REC | MS_PRIVATE)
    if walls.private_tmp:
        size = f",size={limits.disk_bytes},nr_inodes={limits.files}" if walls.disk else ",size=0,nr_inodes=0"
        _mount(TMP, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, f"mode=0700{size}")
        os.mkdir(HOME, 0o700)
    if walls.kernel_files:
        _mount("/proc", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0555,size=4k,nr_inodes=2")
    os.chdir(HOME)


def _resource_limits(walls: Walls, limits: Limits, addresses: int) -> dict[int, int]:
    values = {resource.RLIMIT_CORE: 0, resource.RLIMIT_MEMLOCK: 0, resource.RLIMIT_MSGQUEUE: 0}
    if walls.memory:
        # Not RLIMIT_DATA: it forgets shared mappings.
        values[resource.RLIMIT_AS] = addresses + limits.memory_bytes
    if walls.disk:
        values[resource.RLIMIT_FSIZE] = limits.disk_bytes
    if walls.open_files:
        values[resource.RLIMIT_NOFILE] = limits.open_files
    if walls.threads:
        values[resource.RLIMIT_NPROC] = limits.threads
    return values


def _drop_capabilities() -> None:
    _prctl("ambient capabilities", PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(64):
        if _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, (ctypes.c_uint32 * 6)()), "dropping capabilities")


@cache
def filter_program(walls: Walls) -> bytes:
    """The system call filter; the server makes it once, before it forks."""
    return seccomp.program(processes=walls.new_processes, dangerous=walls.system_calls, network=walls.network)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def _install_filter(walls: Walls) -> None:
    code = filter_program(walls)
    program = _Program(len(code) // seccomp.INSTRUCTION_BYTES, code)
    _prctl("system call filter", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(program))
