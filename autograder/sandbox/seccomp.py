"""The filter that refuses system calls, as raw BPF: a few instructions handed to the kernel by `prctl`.

What enters: which groups are refused. What leaves: the bytes of a program. Nothing here is untrusted.
A refused call fails with "operation not permitted"; the program that made it goes on.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterable

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

# Number on x86_64, number on aarch64; None where the call does not exist.
NEW_PROCESSES = {"fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281)}
CLONE, CLONE3, SOCKET, SOCKETPAIR, PRCTL = (56, 220), (435, 435), (41, 198), (53, 199), (157, 167)
DANGEROUS = {
    # Other namespaces and mounts: the way out of every other wall.
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "move_mount": (429, 429), "open_tree": (428, 428),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
    "mknod": (133, None), "mknodat": (259, 33), "fanotify_init": (300, 262),
    "swapon": (167, 224), "swapoff": (168, 225), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    # Other processes' memory and descriptors.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "pidfd_getfd": (438, 438), "kcmp": (312, 272),
    # Large parts of the kernel that no exercise needs and most kernel holes were found in.
    "bpf": (321, 280), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "userfaultfd": (323, 282), "perf_event_open": (298, 241), "modify_ldt": (154, None),
    "mbind": (237, 235), "set_mempolicy": (238, 237), "migrate_pages": (256, 238), "move_pages": (279, 239),
    # Memory that no limit of the process counts.
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "memfd_create": (319, 279),
    "memfd_secret": (447, 447), "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188),
    "msgctl": (71, 187), "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191),
    # The machine itself.
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "personality": (135, 92),
    "reboot": (169, 142), "acct": (163, 89), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "clock_adjtime": (305, 266), "adjtimex": (159, 171), "sethostname": (170, 161),
    "setdomainname": (171, 162), "syslog": (103, 116), "lookup_dcookie": (212, 18), "iopl": (172, None),
    "ioperm": (173, None), "vhangup": (153, 58), "uselib": (134, None), "ustat": (136, None),
    "sysfs": (139, None), "_sysctl": (156, None), "nfsservctl": (180, 42),
}  # fmt: skip
# Whatever came after this call is unknown to the table, and refused as if the kernel were older.
# On x86_64 this also refuses the second numbering of calls (x32), which starts far above.
LAST_KNOWN = 448

CLONE_THREAD = 0x10000
AF_UNIX = 1
PR_SET_DUMPABLE = 4
ALLOW, REFUSE, KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, JUMP_EQUAL, JUMP_GREATER, JUMP_BITS, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
INSTRUCTION_BYTES = 8
NUMBER_AT, ARCHITECTURE_AT, FIRST_ARGUMENT_AT = 0, 4, 16

Instruction = tuple[int, int, int, int]


def supported() -> bool:
    """True on a processor whose system calls are in the table."""
    return platform.machine() in ARCHITECTURES


def numbers(group: dict[str, tuple[int | None, int | None]]) -> dict[str, int]:
    """The calls of a group that exist on this processor, by name."""
    column = ARCHITECTURES[platform.machine()][0]
    return {name: number for name, pair in group.items() if (number := pair[column]) is not None}


def program(*, processes: bool, dangerous: bool, network: bool) -> bytes:
    """A filter as an array of ``struct sock_filter``.

    Args:
        processes: refuse to start processes and programs; threads stay allowed.
        dangerous: refuse the calls of `DANGEROUS` and everything newer than the table.
        network: refuse sockets other than local ones.

    Raises:
        KeyError: the processor is not supported.
    """
    column, architecture = ARCHITECTURES[platform.machine()]
    code = [(LOAD, 0, 0, ARCHITECTURE_AT), (JUMP_EQUAL, 1, 0, architecture), (RETURN, 0, 0, KILL_PROCESS)]
    code.append((LOAD, 0, 0, NUMBER_AT))
    if dangerous:
        code += [(JUMP_GREATER, 0, 1, LAST_KNOWN), _answer(errno.ENOSYS)]
        code += _refuse(numbers(DANGEROUS).values())
        # A process that may not be dumped starts no crash handler of this computer, unless it may change its mind.
        code += _unless(PRCTL[column], (JUMP_EQUAL, 0, 1, PR_SET_DUMPABLE))
    if processes:
        code += _refuse(numbers(NEW_PROCESSES).values())
        # clone3 hides its flags in memory, where a filter cannot look: the C library then falls back to clone.
        code += [(JUMP_EQUAL, 0, 1, CLONE3[column]), _answer(errno.ENOSYS)]
        code += _unless(CLONE[column], (JUMP_BITS, 1, 0, CLONE_THREAD))
    if network:
        code += _unless(SOCKET[column], (JUMP_EQUAL, 1, 0, AF_UNIX))
        code += _unless(SOCKETPAIR[column], (JUMP_EQUAL, 1, 0, AF_UNIX))
    code.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _answer(number: int) -> Instruction:
    return (RETURN, 0, 0, REFUSE | number)


def _refuse(calls: Iterable[int]) -> list[Instruction]:
    return [step for call in calls for step in ((JUMP_EQUAL, 0, 1, call), _answer(errno.EPERM))]


def _unless(call: int, test: Instruction) -> list[Instruction]:
    """Refuse a call unless a test of its first argument skips one instruction."""
    load = (LOAD, 0, 0, FIRST_ARGUMENT_AT)
    return [(JUMP_EQUAL, 0, 4, call), load, test, _answer(errno.EPERM), (RETURN, 0, 0, ALLOW)]
