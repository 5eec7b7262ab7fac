"""The system calls that a confined process is refused, and the filter that refuses them.

Numbers: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux. The
filter is classic BPF over `struct seccomp_data` (linux/seccomp.h).
"""

import errno
import os
import struct

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # linux/audit.h

NETWORK = {  # name: (x86_64, aarch64); 0: there is none
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    # It opens sockets and files past every filter.
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}

OTHER_PROCESSES = {
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "setpgid": (109, 154),
    "setsid": (112, 157),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
}

THE_SYSTEM = {
    "mount": (165, 40),
    "umount2": (166, 39),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "swapon": (167, 224),
    "reboot": (169, 142),
    "quotactl": (179, 60),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "personality": (135, 92),
    # Memory that no limit counts.
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
}

# What Landlock doesn't know.
ATTRIBUTES_OF_FILES = {
    "chmod": (90, 0),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, 0),
    "fchown": (93, 55),
    "lchown": (94, 0),
    "fchownat": (260, 54),
    "utime": (132, 0),
    "utimes": (235, 0),
    "futimesat": (261, 0),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "mknod": (133, 0),
    "mknodat": (259, 33),
}

# So that no file changes where the host has no Landlock.
CHANGES_OF_FILES = {
    "creat": (85, 0),
    "truncate": (76, 45),
    "unlink": (87, 0),
    "unlinkat": (263, 35),
    "rename": (82, 0),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "link": (86, 0),
    "linkat": (265, 37),
    "symlink": (88, 0),
    "symlinkat": (266, 36),
    "mkdir": (83, 0),
    "mkdirat": (258, 34),
    "rmdir": (84, 0),
}

_FORK = {"fork": (57, 0), "vfork": (58, 0)}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_OPEN, _OPENAT, _OPENAT2 = (2, 0), (257, 56), (437, 437)
_KILL, _TGKILL = (62, 129), (234, 131)
_PRCTL, _PRLIMIT = (157, 167), (302, 261)

_CLONE_THREAD = 0x10000
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_SET_PARENT_DEATH_SIGNAL = 1  # linux/prctl.h; without it a process could outlive its parent
_X32 = 0x40000000  # the second table of x86_64

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL_PROCESS, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE = 0, 4


def _argument(place: int) -> int:
    """Where the lower half of an argument is; both architectures are little-endian."""
    return 16 + 8 * place


def seccomp_filter(machine: str, *, processes: bool, writing: bool) -> bytes:
    """A BPF program that answers what is refused with EPERM.

    With `processes`, new ones and signals to them are allowed; with `writing`, so are changes of
    files. Raises KeyError for a machine that isn't in `ARCHITECTURES`.
    """
    column = list(ARCHITECTURES).index(machine)
    steps = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, ARCHITECTURES[machine], 1, 0),
        _step(_RETURN, _KILL_PROCESS),
        _step(_LOAD, _NUMBER),
    ]
    if machine == "x86_64":
        steps += [_step(_AT_LEAST, _X32, 0, 1), _step(_RETURN, _ERROR | errno.EPERM)]
    refused = [NETWORK, OTHER_PROCESSES, THE_SYSTEM, ATTRIBUTES_OF_FILES]
    refused += [] if writing else [CHANGES_OF_FILES]
    refused += [] if processes else [_FORK]
    for numbers in (numbers for table in refused for numbers in table.values()):
        if numbers[column]:
            steps += _refuse(numbers[column])

    # What these point to can't be looked at; libraries then use the older calls.
    steps += _refuse(_CLONE3[column], errno.ENOSYS)
    if not writing:
        steps += _refuse(_OPENAT2[column], errno.ENOSYS)
        for numbers, place in ((_OPEN, 1), (_OPENAT, 2)):
            if numbers[column]:
                steps += _refuse_if(numbers[column], place, _ANY_BIT, _WRITES, refused_if=True)
    own = os.getpid()
    if not processes:
        steps += _refuse_if(_CLONE[column], 0, _ANY_BIT, _CLONE_THREAD, refused_if=False)
        steps += _refuse(_KILL[column])
        steps += _refuse_if(_TGKILL[column], 0, _EQUAL, own, refused_if=False)  # abort() sends it
        steps += _refuse_if(_PRCTL[column], 0, _EQUAL, _SET_PARENT_DEATH_SIGNAL, refused_if=True)
        steps += _refuse_if(_PRLIMIT[column], 0, _EQUAL, 0, refused_if=False)
    steps.append(_step(_RETURN, _ALLOW))
    return b"".join(steps)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def _refuse(number: int, error: int = errno.EPERM) -> list[bytes]:
    return [_step(_EQUAL, number, 0, 1), _step(_RETURN, _ERROR | error)]


def _refuse_if(number: int, place: int, test: int, value: int, *, refused_if: bool) -> list[bytes]:
    """Refuse a call whose argument passes the test, or doesn't."""
    return [
        _step(_EQUAL, number, 0, 4),
        _step(_LOAD, _argument(place)),
        _step(test, value, *((0, 1) if refused_if else (1, 0))),
        _step(_RETURN, _ERROR | errno.EPERM),
        _step(_LOAD, _NUMBER),
    ]
