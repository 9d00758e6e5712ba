"""Hostile code behind the walls: what it tries fails, costs only its own job, and leaves nothing behind."""

from __future__ import annotations

import errno
import platform
import socket
import struct
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from sandbox_help import make_view

from autograder.sandbox import seccomp
from autograder.sandbox.ground import find_ground
from autograder.sandbox.pool import Piece, Played, Pool, Stopped
from autograder.sandbox.walls import DEVICES, ENVIRONMENT, WALLS, Limits, outer_walls
from course_lib.cases import call_case

ROOT = Path(__file__).resolve().parents[1]
SMALL = Limits(cpu_seconds=0.4, wall_seconds=20.0)


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course view with the modules that the worker itself needs."""
    return make_view(tmp_path_factory.mktemp("walls"))


@pytest.fixture(scope="module", params=["numpy", "torch"])
def pool(request: pytest.FixtureRequest, view: Path) -> Iterator[Pool]:
    """One warm pool for all tests of this file, and one with Torch: none of them may harm it."""
    with Pool(view, torch=request.param == "torch") as started:
        yield started
        with started.job() as job:
            assert job.load([Piece("after all", "x = 1")]) == []


def attempt(pool: Pool, body: str, *arguments: object, limits: Limits = SMALL) -> Played:
    """Play one call of a function `f(*a)` with this body in a fresh job."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    with pool.job(limits) as job:
        assert job.load([Piece("cell 1", f"import os, sys\nimport numpy as np\ndef f(*a):\n{lines}")]) == []
        return job.play([call_case("case", "f", {f"a{n}": item for n, item in enumerate(arguments)})])[0]


def value(pool: Pool, body: str, *arguments: object, limits: Limits = SMALL) -> object:
    """What such a call returns."""
    played = attempt(pool, body, *arguments, limits=limits)
    assert played.error is None, played.error
    return played.seen["result"]


def stop(pool: Pool, body: str, *arguments: object, limits: Limits = SMALL) -> str:
    """Why such a call is stopped."""
    with pytest.raises(Stopped) as caught:
        attempt(pool, body, *arguments, limits=limits)
    return caught.value.reason


IGNORE_SIGNALS = """import signal
for n in signal.valid_signals():
    try: signal.signal(n, lambda *a: None)
    except (OSError, ValueError): pass
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
while True:
    try:
        while True: pass
    except BaseException: pass
"""
STOPPED = {
    "exit": ("os._exit(0)", "crashed"),
    "abort": ("os.abort()", "crashed"),
    "segfault": ("import ctypes; ctypes.string_at(0)", "crashed"),
    "deep recursion": ("sys.setrecursionlimit(10**9)\ndef g(): return [*map(lambda _: g(), [1])]\ng()", "crashed"),
    "close socket": ("os.close(3); import time; time.sleep(60)", "crashed"),
    "close everything": ("os.closerange(0, 99)", "crashed"),
    "broken NumPy": ("np.array = np.ndarray = None; return 1", "crashed"),
    "broken builtins": ("import builtins; builtins.len = None; return 1", "crashed"),
    "redirect socket": ("os.dup2(1, 3)", "crashed"),
    "malformed reply": ("os.write(3, b'\\0\\0\\0\\2{}')", "crashed"),
    "reply without values": (
        "h = b'{\"tree\":{\"dict\":[[\"seen\",{\"dict\":[[\"x\",1]]}],[\"error\",null]]},\"arrays\":[]}'\n"
        "os.write(3, len(h).to_bytes(4, 'big') + h)",
        "crashed",
    ),
    "reply of another kind": ("os.write(3, b'\\0\\0\\0\\x1a' + b'{\"tree\":true ,\"arrays\":[]}')", "crashed"),
    "garbage": ("os.write(3, b'\\xff' * 10000)", "output limit"),
    "huge announcement": (
        "h = b'{\"tree\":{\"array\":0},\"arrays\":[[\"int8\",[999999999999]]]}'\n"
        "os.write(3, len(h).to_bytes(4, 'big') + h)", "output limit",
    ),
    "large reply": ("return np.zeros(200 << 20, np.uint8)", "output limit"),
    "reply without room for it": ("return np.zeros(700 << 20, np.uint8)", "memory limit"),
    "long text reply": ("return ['x' * 19_000] * 1000", "output limit"),
    "endless loop": ("while True: pass", "time limit"),
    "deaf loop": (IGNORE_SIGNALS, "time limit"),
    "loop in C": ("sum(iter(int, 1))", "time limit"),
    "loop in text": (
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E", "time limit",
    ),
    "looping threads": (
        "import threading\ndef g():\n    while True: pass\nfor _ in range(9): threading.Thread(target=g).start()\ng()",
        "time limit",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "reason"), STOPPED.values(), ids=STOPPED)
def test_destructive_code_is_stopped(body: str, reason: str, pool: Pool) -> None:
    """Each of these ends its own job with the reason that fits."""
    limits = SMALL if reason == "time limit" else replace(SMALL, cpu_seconds=5.0)
    assert stop(pool, body, limits=limits) == reason


@pytest.mark.parametrize(
    "body",
    [
        "import time; time.sleep(60)",
        "import threading; threading.Event().wait()",
        "os.write(3, b'\\0'); os.read(3, 99)",
    ],
    ids=["sleep", "wait", "trickle"],
)
def test_idle_code_is_stopped_by_the_clock(body: str, pool: Pool) -> None:
    """Code that waits without using the processor is stopped by the wall clock."""
    assert stop(pool, body, limits=replace(SMALL, wall_seconds=0.4)) == "wall clock"


def test_job_that_never_listens_is_stopped(pool: Pool) -> None:
    """A job that forges its reply and then reads nothing cannot make the pool wait for ever."""
    body = "os.write(3, a[0].tobytes()); import time; time.sleep(60)"
    seen = b'{"dict": [["result", 1], ["a0 afterwards", 1]]}'
    header = b'{"tree": {"dict": [["seen", ' + seen + b'], ["error", null]]}, "arrays": []}'
    forged = np.frombuffer(struct.pack(">I", len(header)) + header, np.uint8)
    cases = [call_case("first", "f", {"a0": forged}), call_case("second", "f", {"a0": np.zeros(8 << 20)})]
    with pool.job(replace(SMALL, wall_seconds=2.0)) as job, pytest.raises(Stopped) as caught:
        job.load([Piece("a", f"import os\ndef f(*a):\n    {body}")])
        job.play(cases)
    assert caught.value.reason == "wall clock"
    # A forged reply is only a wrong answer: it counts for the case that was asked.
    assert [(item.case, item.seen["result"]) for item in caught.value.done] == [("first", 1)]


RAISING = {
    "fork bomb": ("while True: os.fork()", "PermissionError"),
    "program": ("import subprocess; subprocess.run(['/opt/python/bin/python3', '-c', ''])", "PermissionError"),
    "exec": ("os.execv(sys.executable, ['x'])", "PermissionError"),
    "pool of processes": ("import multiprocessing as m; m.Pool(2)", "OSError"),
    "thread bomb": (
        "import threading\nend = threading.Event()\n"
        "while True: threading.Thread(target=end.wait, daemon=True).start()", "RuntimeError",
    ),
    "6 GB": ("np.ones(6 << 30, np.uint8)", "MemoryError"),
    "growing list": ("x = []\nwhile True: x.append(bytearray(1 << 22))", "MemoryError"),
    "shared memory": ("import mmap; mmap.mmap(-1, 6 << 30)", "OSError"),
    "200 MB file": ("open('/tmp/x', 'wb').write(bytes(200 << 20))", "OSError"),
    "200 MB of files": ("for n in range(50): open(f'/tmp/{n}', 'wb').write(bytes(4 << 20))", "OSError"),
    "many files": ("for n in range(10_000): open(f'/tmp/{n}', 'w').close()", "OSError"),
    "many open files": ("x = []\nwhile True: x.append(open('/dev/null'))", "OSError"),
    "raised limit": ("import resource as r; r.setrlimit(r.RLIMIT_AS, (r.RLIM_INFINITY,) * 2)", "ValueError"),
    "tcp": ("import socket; socket.create_connection(('127.0.0.1', 80))", "PermissionError"),
    "vsock": ("import socket; socket.socket(socket.AF_VSOCK)", "PermissionError"),
    "netlink": ("import socket; socket.socket(socket.AF_NETLINK)", "PermissionError"),
    "write library": ("open(np.__file__, 'a')", "OSError"),
    "write root": ("open('/x', 'w')", "OSError"),
    "write server's /tmp": ("os.mkdir('/opt/x')", "OSError"),
    "make device": ("os.mknod('/tmp/x', 0o20666, os.makedev(1, 1))", "PermissionError"),
    "become root": ("os.setuid(0)", "OSError"),
    "change root": ("os.chroot('/tmp')", "PermissionError"),
    "other process": ("os.kill(os.getppid() or 2, 9)", "ProcessLookupError"),
    "everybody": ("os.kill(-1, 9)", "ProcessLookupError"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "kind"), RAISING.values(), ids=RAISING)
def test_greedy_code_gets_an_error(body: str, kind: str, pool: Pool) -> None:
    """Each of these is refused by the system, as an ordinary error on the learner's line."""
    found = attempt(pool, body, limits=replace(SMALL, cpu_seconds=5.0)).error
    general = {"FileNotFoundError": "OSError", "PermissionError": "OSError", "_ArrayMemoryError": "MemoryError"}
    assert found is not None
    assert kind in (found.type, general.get(found.type))
    assert found.line > 0


@pytest.mark.parametrize(
    "body",
    ["os.write(1, b'x' * 10**6); os.write(2, b'x'); return 1", "print('x' * 10**7, flush=True); return 1",
     "sys.stdout = sys.stderr = None; return 1", "os.kill(os.getpid(), 9); return 1",
     "sys.settrace(lambda *a: None); return 1"],
    ids=["write", "print", "no streams", "kill itself", "trace"],
)  # fmt: skip
def test_noise_changes_nothing(body: str, pool: Pool) -> None:
    """What is printed or broken beside the answer does not reach the pool."""
    assert value(pool, body) == 1


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/bin/sh", "/usr", "/home", "/root", "/sys", "/run", str(ROOT), np.__file__]
)
def test_computer_is_not_there(path: str, pool: Pool) -> None:
    """No path of the computer leads anywhere."""
    assert value(pool, "return os.path.exists(a[0])", path) is False


def test_inventory_is_what_the_table_says(pool: Pool) -> None:
    """Root, devices, environment and import path hold what `walls.py` declares, and nothing else."""
    root = value(pool, "return sorted(os.listdir('/'))")
    assert set(root) <= {"dev", "lib", "lib64", "opt", "proc", "tmp"}
    assert value(pool, "return ['/dev/' + name for name in sorted(os.listdir('/dev'))]") == sorted(DEVICES)
    assert value(pool, "return [os.listdir('/proc'), os.listdir(os.environ['HOME'])]") == [[], []]
    assert value(pool, "return {k: v for k, v in os.environ.items() if k != 'PWD'}") == dict(ENVIRONMENT)
    places = value(pool, "return sys.path")
    assert places[:2] == ["/opt/view", "/opt/packages"]
    assert all(place.startswith("/opt/python/") for place in places[2:])
    assert value(pool, "return [os.getpid(), os.getuid(), os.uname().nodename]") == [1, 1000, "course"]


def test_torch_cannot_be_found(pool: Pool) -> None:
    """No file of Torch is anywhere behind the walls of a pool without it."""
    body = "return [d for d, _, names in os.walk('/') if any('torch' in n for n in [d.rpartition('/')[2], *names])]"
    assert bool(value(pool, body, limits=Limits())) == pool.torch


@pytest.mark.parametrize(
    "call",
    ["mount(b'none', b'/tmp', b'tmpfs', 0, None)", "unshare(0x10000000)", "unshare(0x20000)", "ptrace(0, 0, 0, 0)",
     "umount2(b'/proc', 2)", "setns(3, 0)", "memfd_create(b'x', 0)", "personality(0)", "shmget(0, 4096, 0o1666)",
     "prctl(4, 1, 0, 0, 0)", "syscall(435, 0, 0)", "syscall(425, 1, 0)", "syscall(9999, 0)"],
)  # fmt: skip
def test_system_call_is_refused(call: str, pool: Pool) -> None:
    """System calls that lead out of the walls fail; the process goes on."""
    body = f"import ctypes\nc = ctypes.CDLL(None, use_errno=True)\nreturn [c.{call}, ctypes.get_errno()]"
    result, number = value(pool, body)
    assert result == -1
    assert number in (errno.EPERM, errno.ENOSYS)


def test_crash_starts_no_handler(pool: Pool) -> None:
    """A job cannot be dumped, so that a crash of it runs no crash handler of the computer."""
    body = "import ctypes, resource as r\nreturn [ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), *r.getrlimit(r.RLIMIT_CORE)]"
    assert value(pool, body) == [0, 0, 0]


def test_threads_are_allowed(pool: Pool) -> None:
    """Honest use of a few threads works."""
    body = "from concurrent.futures import ThreadPoolExecutor as T\nwith T(4) as t: return list(t.map(abs, [-1, 2]))"
    assert value(pool, body) == [1, 2]


def test_planted_listeners_are_not_reached(pool: Pool) -> None:
    """An abstract socket of the computer cannot be called, nor one of another job."""
    connect = "import socket\ns = socket.socket(socket.AF_UNIX)\nreturn s.connect_ex('\\0' + a[0])"
    with socket.socket(socket.AF_UNIX) as listener, pool.job(SMALL) as other:
        listener.bind("\0planted-outside")
        listener.listen()
        source = "import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0planted-inside')\ns.listen()"
        assert other.load([Piece("a", source)]) == []
        assert value(pool, connect, "planted-outside") == errno.ECONNREFUSED
        assert value(pool, connect, "planted-inside") == errno.ECONNREFUSED


def test_nothing_survives_the_job(pool: Pool) -> None:
    """Files, patches, modules and environment of one job are not seen by the next."""
    dirty = (
        "open('/tmp/x', 'w').close(); open(os.environ['HOME'] + '/.x', 'w').close()\n"
        "np.add = np.exp = None; sys.modules['json'] = None; os.environ['X'] = '1'; import builtins; builtins.max = 1\n"
        "np.random.seed(5); np.seterr(all='raise'); import warnings; warnings.simplefilter('error'); return 1"
    )
    state = (
        "import json, builtins, warnings\n"
        "return [os.listdir('/tmp'), os.listdir(os.environ['HOME']), np.add is None, 'X' in os.environ, max(0, 0),\n"
        "        str(np.geterr()), np.random.rand(), str(warnings.filters)]"
    )
    before = value(pool, state)
    assert value(pool, dirty) == 1
    assert value(pool, state) == before
    assert before[:5] == [["home"], [], False, False, 0]


def test_jobs_do_not_see_each_other(pool: Pool) -> None:
    """Two open jobs have their own /tmp."""
    with pool.job() as first, pool.job() as second:
        for job in (first, second):
            job.load(
                [Piece("a", "import os\ndef f():\n    open('/tmp/x', 'x').close(); return sorted(os.listdir('/tmp'))")]
            )
            assert job.play([call_case("case", "f", {})])[0].seen == {"result": ["home", "x"]}


def test_descriptors_sent_along_are_dropped(pool: Pool) -> None:
    """A job that sends descriptors with its bytes gives the pool none of them."""
    body = "import socket\ns = socket.socket(fileno=3)\nsocket.send_fds(s, [b'\\0'], [0, 1, 2])\nreturn 1"
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert stop(pool, body) in ("crashed", "output limit")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_command_binds_nothing_writable(view: Path) -> None:
    """The outer ring binds everything read-only, and only at neutral places."""
    ground = find_ground(view, torch=False)
    command = outer_walls("bwrap", ground, WALLS, root=True)
    assert "--bind" not in command
    targets = [command[n + 2] for n, word in enumerate(command) if word == "--ro-bind"]
    assert [target for target in targets if not target.startswith("/opt/")] == [ground.loader]
    assert command[-4:-2] == ["--remount-ro", "/"]


def decide(program: bytes, architecture: int, number: int, argument: int) -> int:
    """What the kernel would answer to a call, by running the filter instruction by instruction."""
    code = list(struct.iter_unpack("=HBBI", program))
    data = {0: number, 4: architecture, 16: argument}
    at, value = 0, 0
    while True:
        kind, yes, no, constant = code[at]
        at += 1
        if kind == seccomp.LOAD:
            value = data[constant]
        elif kind == seccomp.RETURN:
            return constant
        else:
            tests = {
                seccomp.JUMP_EQUAL: value == constant,
                seccomp.JUMP_GREATER: value > constant,
                seccomp.JUMP_BITS: bool(value & constant),
            }
            at += yes if tests[kind] else no


THREAD, PROCESS = 0x3D0F00, 0x1200011


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filter_decides_as_declared(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On both processors the filter refuses what its tables name and allows the rest."""
    monkeypatch.setattr(platform, "machine", lambda: machine)
    column, architecture = seccomp.ARCHITECTURES[machine]
    program = seccomp.program(processes=True, dangerous=True, network=True)

    def answer(number: int, argument: int = 0) -> int:
        return decide(program, architecture, number, argument)

    refused, unknown = seccomp.REFUSE | errno.EPERM, seccomp.REFUSE | errno.ENOSYS
    for group in (seccomp.NEW_PROCESSES, seccomp.DANGEROUS):
        assert {answer(number) for number in seccomp.numbers(group).values()} == {refused}
    assert [answer(seccomp.CLONE[column], flags) for flags in (THREAD, PROCESS)] == [seccomp.ALLOW, refused]
    assert [answer(seccomp.SOCKET[column], family) for family in (1, 2, 40)] == [seccomp.ALLOW, refused, refused]
    assert [answer(seccomp.PRCTL[column], option) for option in (4, 15)] == [refused, seccomp.ALLOW]
    assert [answer(seccomp.CLONE3[column]), answer(449), answer(1 << 30)] == [unknown] * 3
    assert [answer({"x86_64": 0, "aarch64": 63}[machine]), answer(448)] == [seccomp.ALLOW] * 2
    assert decide(program, 0x40000003, 0, 0) == seccomp.KILL_PROCESS


@pytest.mark.parametrize("part", ["processes", "dangerous", "network"])
def test_filter_parts_are_separate(part: str) -> None:
    """Leaving out one part allows only what that part refuses."""
    column, architecture = seccomp.ARCHITECTURES[platform.machine()]
    parts = {"processes": True, "dangerous": True, "network": True, part: False}
    program = seccomp.program(**parts)
    examples = {"processes": seccomp.CLONE, "dangerous": seccomp.DANGEROUS["unshare"], "network": seccomp.SOCKET}
    allowed = {
        name for name, pair in examples.items() if decide(program, architecture, pair[column], 2) == seccomp.ALLOW
    }
    assert allowed == {part}


def test_every_wall_stands_by_default() -> None:
    """The table has every wall up."""
    assert all(getattr(WALLS, field.name) is True for field in fields(WALLS))
