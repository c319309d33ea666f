"""What a learner's process may do: called by the worker on itself, before the first cell runs.

Three ways of confining, strongest first: *bubblewrap* (already in place when the worker starts; nothing to do
here), *landlock* (Linux 5.13 and later: the kernel refuses files outside the list, and, as far as its version
knows how, connections and signals to others), *guard* (everywhere: Python itself refuses, which stops
accidents and simple attempts, not a determined one).
"""

import ctypes
import os
import sys
from pathlib import Path

CLONE_NEWNET, CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWIPC = 0x40000000, 0x10000000, 0x00020000, 0x08000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MOUNT_SETATTR, MOUNT_ATTR_RDONLY, AT_FDCWD, AT_RECURSIVE = 442, 1, -100, 0x8000
PR_SET_NO_NEW_PRIVS = 38
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # system calls, the same number on every architecture
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
RIGHTS = {
    1: 13,
    2: 14,
    3: 15,
    4: 15,
    5: 16,
}  # file rights known to each version of Landlock; later ones have 16


class Ruleset(ctypes.Structure):
    """``struct landlock_ruleset_attr``: what is handled, and so forbidden unless a rule allows it."""

    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class MountAttributes(ctypes.Structure):
    """``struct mount_attr``: what to set and what to clear."""

    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("user_namespace", ctypes.c_uint64),
    )


class PathRule(ctypes.Structure):
    """``struct landlock_path_beneath_attr``: rights for everything below an open folder, or for one file."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("rights", ctypes.c_uint64), ("descriptor", ctypes.c_int32))


def limit_resources(limits: dict) -> None:
    """Set hard limits for this process and all it starts; a limit that the system does not know is skipped.

    Parameters
    ----------
    limits : dict
        Names of ``resource`` without ``RLIMIT_`` and their values: ``{"CPU": 60, "FSIZE": …}``.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    for name, value in limits.items():
        number = getattr(resource, f"RLIMIT_{name}", None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(number, (value, value))
        except (ValueError, OSError):  # macOS refuses some
            continue


def confine(kind: str, folder: str, readable: list[str], listable: list[str]) -> None:
    """Confine this process in the way called ``kind``; see the top of this module.

    Parameters
    ----------
    folder : str
        The learner's own folder, where everything is allowed.
    readable : list of str
        What may be read.
    listable : list of str
        Folders of which only the names may be seen, because something below them is withheld.
    """
    if kind == "landlock":
        _own_namespaces(folder)
        _landlock(folder, readable, listable)
    elif kind == "guard":
        _guard(folder, readable)


def landlock_version() -> int:
    """Version of the kernel's Landlock, 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, ctypes.CDLL(None).syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1)))


def _own_namespaces(folder: str) -> None:
    """Move into a network without a way out and a view of the disk where only ``folder`` can be changed.

    Landlock alone leaves the network other than TCP open, and lets a process change dates and permissions.
    Some systems forbid users to have namespaces of their own; then that much stays open.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC) != 0:
        return
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        try:
            Path("/proc/self", name).write_text(text)
        except OSError:
            continue
    place = os.fsencode(folder)
    libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None)
    libc.mount(place, place, None, MS_BIND, None)
    for path, flags, attributes in (
        (b"/", AT_RECURSIVE, MountAttributes(set=MOUNT_ATTR_RDONLY)),
        (place, 0, MountAttributes(clear=MOUNT_ATTR_RDONLY)),
    ):
        size = ctypes.c_size_t(ctypes.sizeof(attributes))
        libc.syscall(MOUNT_SETATTR, AT_FDCWD, path, ctypes.c_uint(flags), ctypes.byref(attributes), size)
    os.chdir(folder)  # the way in, through the mount that can be written to


def _landlock(folder: str, readable: list[str], listable: list[str]) -> None:
    """Allow reading below ``readable``, everything below ``folder``, and nothing elsewhere."""
    libc, version = ctypes.CDLL(None, use_errno=True), landlock_version()
    every = (1 << RIGHTS.get(version, 16)) - 1
    ruleset = Ruleset(every, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    handle = libc.syscall(CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if handle < 0:
        raise OSError(ctypes.get_errno(), "Landlock gave no rule set")
    look = EXECUTE | READ_FILE | READ_DIR
    rules = [(folder, every), *((path, look) for path in readable), *((path, READ_DIR) for path in listable)]
    for path, rights in rules + _devices():
        _allow(libc, handle, path, rights)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.syscall(RESTRICT_SELF, ctypes.c_int(handle), ctypes.c_uint32(0)) != 0:
        raise OSError(ctypes.get_errno(), "Landlock did not take effect")
    os.close(handle)


def _devices():
    return [("/dev/null", READ_FILE | WRITE_FILE), ("/dev/zero", READ_FILE), ("/dev/urandom", READ_FILE)]


def _allow(libc, handle: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # not on this machine
        return
    if not os.path.isdir(path):
        rights &= EXECUTE | WRITE_FILE | READ_FILE
    rule = PathRule(rights, descriptor)
    result = libc.syscall(ADD_RULE, ctypes.c_int(handle), 1, ctypes.byref(rule), ctypes.c_uint32(0))
    os.close(descriptor)
    if result != 0:
        raise OSError(ctypes.get_errno(), f"Landlock refused the rule for {path}")


CHANGES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown")
CHANGES += ("os.truncate", "os.utime")
STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty")
NETWORK = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo")
SIGNALS = ("os.kill", "os.killpg")


def _guard(folder: str, readable: list[str]) -> None:
    """Refuse, from inside Python, files elsewhere, other programs, connections and signals."""
    home = os.path.realpath(folder)
    allowed = tuple(os.path.realpath(path) for path in (folder, *readable))

    def inside(path, roots) -> bool:
        if isinstance(path, int) or path is None:
            return True
        full = os.path.realpath(os.fsdecode(path))
        return full == os.devnull or any(full == root or full.startswith(root + os.sep) for root in roots)

    def watch(event: str, arguments: tuple) -> None:
        if event == "open":
            path, _, flags = arguments
            writing = (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
            refused = not inside(path, (home,) if writing else allowed)
        elif event in CHANGES:
            refused = not all(
                inside(path, (home,)) for path in arguments[:2] if isinstance(path, (str, bytes))
            )
        elif event in SIGNALS:
            refused = arguments[0] != os.getpid()
        else:
            refused = event in STARTS or event in NETWORK
        if refused:
            raise PermissionError(f"{event} is not allowed while a notebook is marked")

    sys.addaudithook(watch)
