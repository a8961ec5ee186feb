# SPDX-License-Identifier: Apache-2.0
"""Two network namespaces joined by the relay, the agents in them, tcpdump at both ends, and the tracer; all ended on the way out."""
import asyncio
import json
import os
import signal
import socket
import subprocess
import time

from playing import agent
from playing import relay

ADDRESSES = {"A": ("10.99.0.1", "fd99::1"), "B": ("10.99.0.2", "fd99::2")}
CLIENTS = ("c0", "c1", "c2")
SERVERS = ("s0", "s1", "w0", "w1", "w2")
NOBODY = 65534
SYSCTLS = {"tcp_syn_linear_timeouts": 0, "tcp_synack_retries": 2, "tcp_orphan_retries": 2, "ip_local_port_range": "10000 65000",
           "tcp_syncookies": 0}
CGROUPS = "/sys/fs/cgroup/unified", "/sys/fs/cgroup"


class Remote:
    """The controller's end of an agent or of the relay: one request at a time per number, many at once."""

    def __init__(self, name, control):
        self.name = name
        self.control = control
        self.pid = None
        self.number = 0
        self.waiting = {}

    def attach(self, loop):
        self.control.setblocking(False)
        self.loop = loop
        loop.add_reader(self.control, self.receive)

    def receive(self):
        while True:
            try:
                message = self.control.recv(1 << 17)
            except BlockingIOError:
                return
            if not message:
                self.loop.remove_reader(self.control)
                for future in self.waiting.values():
                    future.set_exception(RuntimeError(f"{self.name} has ended"))
                self.waiting = {}
                return
            number, results = json.loads(message)
            future = self.waiting.pop(number)
            if not future.done():
                future.set_result(results)

    async def request(self, *content):
        self.number += 1
        future = self.loop.create_future()
        self.waiting[self.number] = future
        while True:
            try:
                self.control.send(json.dumps([self.number, *content]).encode())
                break
            except BlockingIOError:
                await asyncio.sleep(0.002)
        return await future

    async def do(self, *ops):
        """Run the operations in order; the result of the last one."""
        return (await self.request(ops))[-1]


class World:
    def __init__(self, binary, folder, seed):
        self.binary = binary
        self.folder = folder
        self.seed = seed
        self.names = {side: f"wire{side}{os.getpid()}" for side in "AB"}
        self.processes = []
        self.children = []
        self.remotes = {}
        self.cgroups = []
        self.netns = {}
        self.dropped = 0

    def path(self, side):
        return f"/run/netns/{self.names[side]}"

    def ip(self, side, *words):
        subprocess.run(["ip", "-n", self.names[side], *words], check=True)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        for side in "AB":
            subprocess.run(["ip", "netns", "add", self.names[side]], check=True)
            self.netns[side] = os.stat(self.path(side)).st_ino
        self.start_relay()
        for side in "AB":
            self.configure(side)
        inboxes = {}
        for name in SERVERS:
            inboxes[name], inboxes[name + "<"] = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for name in CLIENTS + SERVERS:
            self.start_agent(name, "A" if name in CLIENTS else "B", inboxes)
        for side in "AB":
            self.start_tcpdump(side)

    def fork(self, body):
        """A child with a control socket; it ends with the controller, because it reads end of file."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        child = os.fork()
        if not child:
            try:
                ours.close()
                for remote in self.remotes.values():
                    remote.control.close()
                body(theirs)
            finally:
                os._exit(1)
        theirs.close()
        self.children.append(child)
        return child, ours

    def start_relay(self):
        there, here = socket.socketpair()
        child, control = self.fork(lambda theirs: relay.main([self.path(s) for s in "AB"], theirs, there, self.seed))
        here.settimeout(10)
        if here.recv(1) != b"1":
            raise RuntimeError("the relay can't open its devices")
        self.remotes["relay"] = Remote("relay", control)
        self.remotes["relay"].pid = child

    def configure(self, side):
        four, six = ADDRESSES[side]
        self.ip(side, "link", "set", "lo", "up", "gso_max_segs", "1")
        self.ip(side, "addr", "add", f"{four}/24", "dev", relay.DEVICE)
        self.ip(side, "addr", "add", f"{six}/64", "dev", relay.DEVICE, "nodad")
        self.ip(side, "link", "set", relay.DEVICE, "up", "txqueuelen", "10000", "gso_max_segs", "1")
        script = "".join(f"echo '{value}' > /proc/sys/net/ipv4/{name}; " for name, value in SYSCTLS.items())
        script += "cat /proc/sys/net/ipv4/tcp_congestion_control"
        self.control = subprocess.run(["ip", "netns", "exec", self.names[side], "sh", "-ec", script], check=True,
                                      capture_output=True, text=True).stdout.strip()

    def start_agent(self, name, side, inboxes):
        cgroup = self.make_cgroup(name)
        uid = NOBODY if name in ("c2", "w2") else 0
        child, control = self.fork(lambda theirs: agent.main(
            f"wire-{name}", self.path(side), uid, self.folder, theirs,
            {**{key: value for key, value in inboxes.items()}, f"wire-{name}<": inboxes.get(name + "<")}, cgroup))
        self.remotes[name] = Remote(name, control)
        self.remotes[name].pid = child

    def make_cgroup(self, name):
        for root in CGROUPS:
            if os.path.exists(f"{root}/cgroup.procs") and os.path.exists(f"{root}/cgroup.controllers"):
                path = f"{root}/{self.names['A']}-{name}"
                os.mkdir(path)
                self.cgroups.append(path)
                return path
        return None

    def cgroup_ids(self):
        """The cgroup of each agent, by its inode, as the kernel numbers them."""
        return {self.remotes[path.rsplit("-", 1)[1]].pid: os.stat(path).st_ino for path in self.cgroups}

    def spawn(self, *words, **more):
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, **more)
        self.processes.append(process)
        return process

    def start_tcpdump(self, side):
        messages = open(f"{self.folder}/tcpdump-{side}.txt", "w+b")
        process = self.spawn("ip", "netns", "exec", self.names[side], "tcpdump", "-i", "any", "-nn", "-s", "128", "-B", "65536",
                             "-Z", "root", "--immediate-mode", "--time-stamp-precision=nano", "-U",
                             "-w", f"{self.folder}/{side}.pcap", "tcp or icmp or icmp6", stderr=messages)
        process.messages = messages
        self.await_words(messages, b"listening on", process)

    def await_words(self, file, words, process, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end and process.poll() is None:
            file.seek(0)
            text = file.read()
            if words in text:
                return text
            time.sleep(0.02)
        raise RuntimeError(f"{process.args[:6]} isn't ready: {text.decode()[-300:]}")

    def start_tracer(self):
        """Trace the machine, because a filter takes one namespace only; ready when a refused connection has its rows."""
        output = f"{self.folder}/trace.csv"
        messages = open(f"{self.folder}/tracer.txt", "w+b")
        process = self.spawn(self.binary, "--format", "csv", "--columns", "all", "--buffer", "64M", "--output", output, stderr=messages)
        process.messages = messages
        end = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < end:
            subprocess.run(["ip", "netns", "exec", self.names["A"], "bash", "-c", "</dev/tcp/127.0.0.1/1"],
                           stderr=subprocess.DEVNULL)
            if os.path.exists(output):
                with open(output) as file:
                    if f",{self.netns['A']}," in file.read():
                        return process
            time.sleep(0.05)
        messages.seek(0)
        raise RuntimeError(f"the tracer isn't ready: {messages.read().decode()[-300:]}")

    def run(self, *words, seconds=60):
        return subprocess.run([self.binary, *words], capture_output=True, timeout=seconds)

    def end(self, process, number=signal.SIGINT):
        if process.poll() is None:
            process.send_signal(number)
        process.wait(60)

    def stop_captures(self):
        """End tcpdump after everything sent has come; how many packets it missed."""
        for process in self.processes:
            if "tcpdump" in process.args and process.poll() is None:
                self.end(process)
                process.messages.seek(0)
                for line in process.messages.read().decode().splitlines():
                    if line.endswith("dropped by kernel"):
                        self.dropped += int(line.split()[0])

    def stop_agents(self):
        """Let the agents write their logs; they end when their control socket does."""
        for remote in self.remotes.values():
            remote.control.close()
        end = time.monotonic() + 10
        while self.children and time.monotonic() < end:
            self.children = [child for child in self.children if os.waitpid(child, os.WNOHANG)[0] == 0]
            time.sleep(0.01)

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        for child in self.children:
            try:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)
        for path in self.cgroups:
            try:
                os.rmdir(path)
            except OSError:
                pass
