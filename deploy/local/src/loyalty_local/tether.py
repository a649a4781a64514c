"""``python tether.py PARENT SIGNAL USER PROGRAM …``: becomes PROGRAM, run by USER, and is sent SIGNAL when PARENT ends.

Run as a file by a bare interpreter. It does what ``preexec_fn`` would, which is unsafe in a process with threads. Only
Linux ties a child to its parent; elsewhere the next start ends what was left.
"""

import ctypes
import os
import pwd
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, signal_number, user, *program = sys.argv[1:]
    if user:
        _become(user)
    # After the change of user, which would undo it.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal_number))
        if os.getppid() != int(parent):
            sys.exit("the parent ended first")
    os.execvp(program[0], program)  # noqa: S606


def _become(user: str) -> None:
    account = pwd.getpwnam(user)
    os.initgroups(user, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


if __name__ == "__main__":
    main()
