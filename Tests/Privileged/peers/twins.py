# SPDX-License-Identifier: Apache-2.0
"""Runs two processes with the same id, one after the other; each connects to the port, under a name of its own."""
import ctypes
import os
import socket
import sys


def child(name):
    ctypes.CDLL(None).prctl(15, name, 0, 0, 0)
    made = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    made.close()
    os._exit(0)


first = os.fork()
if first == 0:
    child(b"first")
os.waitpid(first, 0)
for _ in range(2000):
    # The next process gets the number after this one, unless another one is faster.
    with open("/proc/sys/kernel/ns_last_pid", "w") as last:
        last.write(str(first - 1))
    again = os.fork()
    if again == 0:
        if os.getpid() == first:
            child(b"second")
        os._exit(1)
    if os.waitpid(again, 0)[1] == 0:
        print(first)
        sys.exit(0)
sys.exit("the number %d isn't assigned again" % first)
