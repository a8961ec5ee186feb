# SPDX-License-Identifier: Apache-2.0
"""A process that makes socket calls on behalf of a scene, and logs each with the time before and after it."""
import array
import ctypes
import json
import os
import select
import signal
import socket
import struct
import time
import traceback

libc = ctypes.CDLL(None, use_errno=True)
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
IP_LOCAL_PORT_RANGE = 51

# struct tcp_info of linux/tcp.h: name, offset, format.
TCP_INFO = (("state", 0, "B"), ("ca_state", 1, "B"), ("retransmits", 2, "B"), ("backoff", 4, "B"), ("rto", 8, "I"), ("rtt", 68, "I"),
            ("ssthresh", 76, "I"), ("cwnd", 80, "I"), ("total_retrans", 100, "I"), ("bytes_received", 128, "Q"),
            ("segs_out", 136, "I"), ("segs_in", 140, "I"), ("notsent", 144, "I"), ("snd_wnd", 228, "I"),
            ("rcv_wnd", 232, "I"))


def enter(namespace):
    with open(namespace) as file:
        if libc.setns(file.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), namespace)


def name_process(name):
    libc.prctl(15, name.encode(), 0, 0, 0)


def sockaddr(address):
    return tuple(address)


class Log:
    """One line per call, in a file of the process's own; written out when it ends."""

    def __init__(self, folder, name):
        self.file = open(f"{folder}/calls-{name}-{os.getpid()}.jsonl", "a", buffering=1 << 16)
        self.name = name
        self.number = 0

    def add(self, op, handle, before, after, **more):
        self.number += 1
        self.file.write(json.dumps({"op": op, "h": handle, "t0": before, "t1": after, "pid": os.getpid(),
                                    "n": self.number, **more}) + "\n")


class Calls:
    """The calls themselves; `sockets` maps a handle to a socket."""

    def __init__(self, log, inboxes, inbox):
        self.log = log
        self.sockets = {}
        self.stash = {}
        self.inboxes = inboxes
        self.inbox = inbox
        self.accepted = 0
        self.children = {}

    def timed(self, op, handle, call, **more):
        before = time.time_ns()
        failed = 0
        result = None
        try:
            result = call()
        except OSError as error:
            failed = error.errno
        after = time.time_ns()
        if isinstance(result, int):
            more["result"] = result
        self.log.add(op, handle, before, after, error=failed, **more)
        return -failed if failed else (result if isinstance(result, int) else 0)

    def socket(self, handle, family, options=(), bind=None):
        self.sockets[handle] = made = socket.socket(getattr(socket, family), socket.SOCK_STREAM)
        made.setblocking(False)
        now = time.time_ns()
        for level, name, value in options:
            made.setsockopt(level, name, bytes.fromhex(value) if isinstance(value, str) else value)
        if bind:
            made.bind(sockaddr(bind))
        self.log.add("socket", handle, now, time.time_ns(), family=family, bind=bind, uid=os.geteuid(), fd=made.fileno(),
                     options=[list(option) for option in options])
        return 0

    def option(self, handle, level, name, value):
        return self.timed("option", handle, lambda: self.sockets[handle].setsockopt(
            level, name, bytes.fromhex(value) if isinstance(value, str) else value), what=[level, name, value])

    def first_sequence(self, handle, value):
        """Choose the initial sequence number, as a restored checkpoint does."""
        made = self.sockets[handle]
        made.setsockopt(6, TCP_REPAIR, 1)
        made.setsockopt(6, TCP_REPAIR_QUEUE, 2)
        made.setsockopt(6, TCP_QUEUE_SEQ, struct.pack("I", value))
        made.setsockopt(6, TCP_REPAIR, -1)
        return 0

    def listen(self, handle, backlog):
        made = self.sockets[handle]
        self.timed("listen", handle, lambda: made.listen(backlog), local=made.getsockname()[:2], backlog=backlog)
        return made.getsockname()[1]

    def connect(self, handle, address):
        made = self.sockets[handle]
        before = time.time_ns()
        failed = made.connect_ex(sockaddr(address))
        after = time.time_ns()
        self.log.add("connect", handle, before, after, error=failed, local=made.getsockname()[:2], peer=address[:2])
        return [failed, made.getsockname()[1]]

    def disconnect(self, handle):
        raw = struct.pack("H14x", socket.AF_UNSPEC)
        return self.timed("disconnect", handle, lambda: self.checked(
            libc.connect(self.sockets[handle].fileno(), raw, len(raw))))

    @staticmethod
    def checked(result):
        if result < 0:
            raise OSError(ctypes.get_errno(), "")
        return result

    def send(self, handle, count):
        return self.timed("send", handle, lambda: self.sockets[handle].send(b"x" * count), count=count)

    def fill(self, handle):
        """Send until the kernel takes no more."""
        total = 0
        while (sent := self.send(handle, 65536)) > 0:
            total += sent
        return total

    def recv(self, handle, count):
        got = 0
        before = time.time_ns()
        failed = 0
        try:
            got = len(self.sockets[handle].recv(count))
        except OSError as error:
            failed = error.errno
        self.log.add("recv", handle, before, time.time_ns(), error=failed, got=got, eof=not failed and not got)
        return -failed if failed else got

    def drain(self, handle):
        total = 0
        while (got := self.recv(handle, 1 << 17)) > 0:
            total += got
        return total

    def info(self, handle):
        before = time.time_ns()
        try:
            raw = self.sockets[handle].getsockopt(6, 11, 256)
        except OSError:
            return 0
        after = time.time_ns()
        self.log.add("info", handle, before, after, info={
            name: struct.unpack_from("=" + form, raw, at)[0] for name, at, form in TCP_INFO
            if at + struct.calcsize("=" + form) <= len(raw)})
        return raw[0]

    def port(self, handle):
        return self.sockets[handle].getsockname()[1]

    def error(self, handle):
        before = time.time_ns()
        number = self.sockets[handle].getsockopt(1, 4)
        self.log.add("error", handle, before, time.time_ns(), error=number)
        return number

    def shutdown(self, handle, how):
        self.info(handle)
        return self.timed("shutdown", handle, lambda: self.sockets[handle].shutdown(how), how=how)

    def close(self, handle):
        self.info(handle)
        made = self.sockets.pop(handle)
        return self.timed("close", handle, made.close)

    def abort(self, handle):
        self.option(handle, 1, 13, struct.pack("ii", 1, 0).hex())
        return self.close(handle)

    def give(self, handle, inbox, keep=False):
        """Pass the descriptor over a Unix socket, and close it here unless it is kept."""
        made = self.sockets[handle]
        message = array.array("i", [made.fileno()]).tobytes()
        self.timed("give", handle, lambda: self.inboxes[inbox].sendmsg(
            [handle.encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, message)]), to=inbox)
        return 0 if keep else self.close(handle)

    def take(self, handle):
        before = time.time_ns()
        data, ancillary, _, _ = self.inbox.recvmsg(256, 64)
        after = time.time_ns()
        descriptor = array.array("i", ancillary[0][2])[0]
        name = data.decode()
        made = socket.socket(fileno=descriptor)
        made.setblocking(False)
        self.sockets[name] = made
        self.log.add("take", name, before, after, fd=descriptor)
        return name

    def accept_all(self, listener):
        """Accept whatever waits; who asks for a peer finds it in the stash."""
        while True:
            before = time.time_ns()
            try:
                made, peer = self.sockets[listener].accept()
            except OSError:
                return
            after = time.time_ns()
            made.setblocking(False)
            self.accepted += 1
            handle = f"a{os.getpid()}-{self.accepted}"
            self.sockets[handle] = made
            self.log.add("accept", handle, before, after, listener=listener, local=made.getsockname()[:2],
                         peer=peer[:2], uid=os.geteuid(), fd=made.fileno())
            self.stash[f"{listener} {peer[1]}"] = handle

    def run(self, name, steps, keep):
        """Fork a child that holds the sockets `keep`, makes the steps, and exits without closing what it has left."""
        self.log.file.flush()  # or the child would write it, too
        before = time.time_ns()
        child = os.fork()
        if child:
            self.log.add("fork", ",".join(keep), before, time.time_ns(), child=child, handles=list(self.sockets), name=name)
            self.children[name] = child
            return child
        try:
            name_process(name)
            self.log = Log(os.path.dirname(self.log.file.name), name)
            before = time.time_ns()
            others = [handle for handle in self.sockets if handle not in keep]
            for handle in others:
                self.sockets.pop(handle).close()
            self.log.add("released", "", before, time.time_ns(), handles=others)
            self.log.file.flush()  # it may be killed
            for op, *arguments in steps:
                time.sleep(arguments[0]) if op == "sleep" else getattr(self, op)(*arguments)
            now = time.time_ns()  # the kernel closes what is left a moment later
            self.log.add("exit", ",".join(self.sockets), now, now + 1_000_000_000, handles=list(self.sockets))
            self.log.file.close()
        finally:
            os._exit(0)

    def kill(self, name):
        before = time.time_ns()
        os.kill(self.children[name], signal.SIGKILL)
        return self.reap(name, before)

    def reap(self, name, before=None):
        """Wait for the child; its end closes what it held at the latest."""
        child = self.children.pop(name)
        os.waitpid(child, 0)
        now = time.time_ns()
        self.log.add("reaped", "", before or now, now, child=child)
        return 0


class Loop:
    """Serves requests [id, [op…]]; an op that waits parks the rest until its condition or its time."""

    def __init__(self, control, calls):
        self.control = control
        self.calls = calls
        self.parked = []

    def serve(self):
        while True:
            poll = select.poll()
            poll.register(self.control, select.POLLIN)
            for waiting in self.parked:
                held = self.calls.sockets.get(waiting["on"])
                if held is not None:
                    poll.register(held, waiting["mask"])
            now = time.monotonic()
            wait = min([waiting["until"] - now for waiting in self.parked], default=3600)
            ready = dict(poll.poll(max(0, wait * 1000)))
            if self.control.fileno() in ready:
                message = self.control.recv(1 << 17)
                if not message:
                    return
                number, ops = json.loads(message)
                self.go(number, ops, [])
            now = time.monotonic()
            parked, self.parked = self.parked, []
            for waiting in parked:
                held = self.calls.sockets.get(waiting["on"])
                is_ready = held is not None and held.fileno() in ready
                if is_ready or waiting["until"] <= now or waiting["check"]():
                    self.go(waiting["number"], waiting["ops"], waiting["results"], now >= waiting["until"])
                else:
                    self.parked.append(waiting)

    def go(self, number, ops, results, late=False):
        while ops:
            op, *arguments = ops[0]
            if op == "wait":
                done = self.wait(number, ops, results, late, *arguments)
            elif op == "accept":
                done = self.accept(number, ops, results, late, *arguments)
            else:
                done = True
                results.append(getattr(self.calls, op)(*arguments))
            if not done:
                return
            ops = ops[1:]
            late = False
        self.control.send(json.dumps([number, results]).encode())

    def wait(self, number, ops, results, late, handle, events, seconds):
        mask = {"r": select.POLLIN | select.POLLRDHUP, "w": select.POLLOUT, "e": 0, "h": select.POLLRDHUP}[events]
        held = self.calls.sockets[handle]
        poll = select.poll()
        poll.register(held, mask)
        before = time.time_ns()
        if poll.poll(0) or late:
            self.calls.log.add("wait", handle, before, before, events=events, late=late)
            results.append(int(not late))
            return True
        self.park(number, ops, results, handle, mask, seconds, lambda: False)
        return False

    def accept(self, number, ops, results, late, listener, port, seconds):
        key = f"{listener} {port}"
        self.calls.accept_all(listener)
        if key in self.calls.stash or late:
            results.append(self.calls.stash.pop(key, None))
            return True
        self.park(number, ops, results, listener, select.POLLIN, seconds, lambda: key in self.calls.stash)
        return False

    def park(self, number, ops, results, handle, mask, seconds, check):
        until = time.monotonic() + seconds
        self.parked.append({"number": number, "ops": ops, "results": results, "on": handle, "mask": mask,
                            "until": until, "check": check})


def main(name, namespace, uid, folder, control, inboxes, cgroup=None):
    """The body of an agent's process, after fork()."""
    name_process(name)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if cgroup:
        with open(f"{cgroup}/cgroup.procs", "w") as file:
            file.write(str(os.getpid()))
    enter(namespace)
    if uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        libc.prctl(4, 1, 0, 0, 0)  # after setuid a process is not dumpable, and files of its own are root's
    log = Log(folder, name)
    calls = Calls(log, inboxes, inboxes[name + "<"])
    try:
        Loop(control, calls).serve()
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        now = time.time_ns()
        log.add("exit", "", now, now + 50_000_000, handles=list(calls.sockets))
        log.file.close()
        os._exit(0)
