# SPDX-License-Identifier: Apache-2.0
"""Exchanges two names in a folder, as fast as it can, until standard input ends.

usage: exchange.py USER FOLDER ONE OTHER   It does so as that user.
"""
import ctypes
import os
import select
import sys

AT_FDCWD, RENAME_EXCHANGE = -100, 2
libc = ctypes.CDLL(None, use_errno=True)


def main():
    user, folder, one, other = sys.argv[1:]
    os.setgroups([])
    os.setgid(int(user))
    os.setuid(int(user))
    os.chdir(folder)
    print("exchanging", flush=True)
    count = 0
    while count % 256 or not select.select([sys.stdin], [], [], 0)[0]:
        libc.renameat2(AT_FDCWD, one.encode(), AT_FDCWD, other.encode(), RENAME_EXCHANGE)
        count += 1


main()
