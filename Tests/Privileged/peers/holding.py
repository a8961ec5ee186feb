# SPDX-License-Identifier: Apache-2.0
"""A process that holds a socket in CLOSE-WAIT, and is doing something in particular.

`holding.py CASE` prints `port=… pid=… thread=… own=…`, which are the socket's port, its holder, the thread in question
and this process, once the holder does it; then an empty line. It ends with its standard input.
"""
import ctypes
import os
import select
import signal
import socket
import sys
import threading
import time

kept = []


def connected():
    """Returns a client and the server's end of its connection."""
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen(16)
    client = socket.create_connection(made.getsockname())
    server = made.accept()[0]
    kept.extend((made, client, server))
    return client, server


def waits(pid, thread, call):
    """Returns once a thread is in a system call, by its number."""
    while True:
        with open("/proc/%d/task/%d/syscall" % (pid, thread)) as file:
            if file.read().split()[0] == str(call):
                return
        time.sleep(0.01)


def close_peer(client):
    """After payload, so that it is known since when it can't have been read."""
    time.sleep(0.2)
    client.sendall(b"x")
    client.shutdown(socket.SHUT_WR)
    time.sleep(0.2)


def child(server, what):
    """A process of its own that holds the server's end alone, and does something; its numbers are those of x86-64 and arm64."""
    pid = os.fork()
    if pid == 0:
        kept[0].close()
        kept[1].close()
        what(server)
        os._exit(1)
    server.close()
    return pid


def numbers(x86, arm):
    return x86 if os.uname().machine == "x86_64" else arm


def lock(_):
    held = threading.Lock()
    held.acquire()
    held.acquire()


def loop(_):
    select.epoll().poll()


def spin(_):
    while True:
        pass


ports = []


def of(what, call=None):
    def case():
        client, server = connected()
        ports.append(server.getsockname()[1])
        pid = child(server, what)
        if call is not None:
            waits(pid, pid, call)
        close_peer(client)
        return pid, pid
    return case


def stopped():
    pid, thread = of(loop, numbers(232, 22))()
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)
    return pid, thread


def traced():
    pid, thread = of(loop, numbers(232, 22))()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, pid, None, None) != 0:  # PTRACE_ATTACH
        raise OSError(ctypes.get_errno(), "ptrace")
    os.waitpid(pid, 0x40000000)  # __WALL
    return pid, thread


def sending():
    """A thread of this process can't send what the client doesn't read; others sleep."""
    client, server = connected()
    ports.append(server.getsockname()[1])
    client.shutdown(socket.SHUT_WR)
    server.recv(1)
    client = kept.pop(1)
    holder = os.fork()
    if holder == 0:  # keeps the client's end open
        server.close()
        time.sleep(1000)
        os._exit(0)
    client.close()
    children.append(holder)
    sender = threading.Thread(target=server.sendall, args=(b"x" * 30_000_000,), daemon=True)
    sender.start()
    waits(os.getpid(), sender.native_id, numbers(44, 206))
    return os.getpid(), sender.native_id


children = []
cases = {"futex": of(lock, numbers(202, 98)), "loop": of(loop, numbers(232, 22)), "busy": of(spin), "stopped": stopped,
         "traced": traced, "sending": sending}
pid, thread = cases[sys.argv[1]]()
if pid != os.getpid():
    children.append(pid)
print("port=%d pid=%d thread=%d own=%d\n" % (ports[0], pid, thread, os.getpid()), flush=True)
sys.stdin.read()
for one in children:
    os.kill(one, signal.SIGKILL)
os._exit(0)
