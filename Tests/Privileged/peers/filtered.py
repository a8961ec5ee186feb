# SPDX-License-Identifier: Apache-2.0
"""Runs a command under a seccomp filter, as containers do: filtered.py errno|kill CALL[,CALL…] COMMAND …

CALL is one of those below. `errno` refuses with EPERM, `kill` kills.
"""
import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ACTIONS = {"errno": 0x00050000 | 1, "kill": 0x80000000}
ALLOW = 0x7FFF0000
CALLS = {
    "x86_64": {"bpf": 321, "perf_event_open": 298, "setns": 308},
    "aarch64": {"bpf": 280, "perf_event_open": 241, "setns": 268},
}


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def main():
    action, calls, *command = sys.argv[1:]
    steps = [(LOAD, 0, 0, 0)]
    for call in calls.split(","):
        steps += [(EQUAL, 0, 1, CALLS[os.uname().machine][call]), (RETURN, 0, 0, ACTIONS[action])]
    steps.append((RETURN, 0, 0, ALLOW))
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    libc = ctypes.CDLL(None, use_errno=True)
    program = Program(len(steps), code)
    for arguments in (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
        if libc.prctl(*arguments) != 0:
            sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
