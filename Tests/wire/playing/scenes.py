# SPDX-License-Identifier: Apache-2.0
"""What scenes share: listeners of every family and policy, and a connection made through one of them."""
import asyncio
import itertools

from playing.world import ADDRESSES

FAMILIES = ("v4", "v6", "mapped")
POLICIES = {
    "plain": {},
    "delay": {"delay": 0.012},
    "lossy": {"delay": 0.002, "jitter": 0.001, "loss": 0.04},
    "reorder": {"delay": 0.001, "jitter": 0.006},
    "double": {"delay": 0.001, "double": 0.2},
}
SOURCE = {"v4": "AF_INET", "v6": "AF_INET6", "mapped": "AF_INET6"}
V6ONLY = (41, 26)
TCP_CONGESTION = 13
REGISTRY = {}
OLDER = {}


def kind(weight=1, slow=False):
    """Registers a scene; a slow one waits for the kernel's timers, so there are few of it."""
    def register(function):
        REGISTRY[function.__name__] = (function, weight, slow)
        return function
    return register


def older(function):
    """Registers a scene that begins before the tracer does."""
    OLDER[function.__name__] = function
    return function


def address(side, family):
    four, six = ADDRESSES[side]
    return {"v4": four, "v6": six, "mapped": f"::ffff:{four}"}[family]


def wildcard(family):
    return "0.0.0.0" if family == "v4" else "::"


class Stage:
    """The agents, and the listeners that scenes share."""

    def __init__(self, world):
        self.remotes = world.remotes
        self.world = world
        self.relay = world.remotes["relay"]
        self.ports = itertools.count(2000)
        self.shared = {}
        self.tracing = asyncio.Event()
        self.older = 0
        self.done = False
        self.locks = {name: asyncio.Lock() for name in self.remotes}

    async def open(self):
        port = 7000
        for agent in ("s0", "s1", "w2"):
            for policy, family in itertools.product(POLICIES, FAMILIES):
                port += 1
                await self.relay.request("policy", port, POLICIES[policy])
                await self.listen(agent, f"L{port}", family, port)
                self.shared[agent, policy, family] = (f"L{port}", port)
        for family in FAMILIES:
            port += 1
            handle = f"L{port}"
            await self.listen("s1", handle, family, port)
            self.shared["prefork", family] = (handle, port)
            for worker in ("w0", "w1"):
                await self.remotes["s1"].do(["give", handle, worker, True])
                await self.remotes[worker].do(["take", handle])

    async def listen(self, agent, handle, family, port, backlog=512, options=(), side="B", address_=None):
        options = list(options) + ([[*V6ONLY, int(family == "v6")]] if family != "v4" else [])
        await self.remotes[agent].do(["socket", handle, SOURCE[family], options, [address_ or wildcard(family), port]],
                                     ["listen", handle, backlog])


class Scene:
    def __init__(self, stage, number, random, name):
        self.stage = stage
        self.number = number
        self.random = random
        self.name = name
        self.family = random.choice(FAMILIES)
        self.c = stage.remotes[random.choice(("c0", "c1", "c2"))]
        self.s = stage.remotes[random.choice(("s0", "s1", "w2"))]
        self.relay = stage.relay
        self.policy = random.choice(("plain", "plain", "delay"))
        self.own_port = None
        self.handles = itertools.count()

    def as_root(self):
        """Only root may choose an initial sequence number."""
        self.c = self.stage.remotes[self.random.choice(("c0", "c1"))]
        self.s = self.stage.remotes[self.random.choice(("s0", "s1"))]

    def handle(self, side="c"):
        return f"{self.number}{side}{next(self.handles)}"

    async def tracer(self):
        """What comes before this was there before the tracer."""
        self.stage.older += 1
        await self.stage.tracing.wait()

    async def pause(self, low=0.0, high=None):
        await asyncio.sleep(low if high is None else self.random.uniform(low, high))

    async def listener(self, policy=None, backlog=64, options=(), agent=None, bind=None):
        """A listener of this scene alone, with a policy of its own."""
        self.own_port = next(self.stage.ports)
        await self.relay.request("policy", self.own_port, policy or {})
        handle = f"L{self.own_port}"
        await self.stage.listen((agent or self.s).name, handle, self.family, self.own_port, backlog, options, address_=bind)
        return handle, self.own_port

    async def end_listener(self, agent=None):
        """Whatever is still on its way has time to arrive before the policy goes."""
        if self.own_port:
            await (agent or self.s).do(["close", f"L{self.own_port}"])

    async def connect(self, port, side="B", options=(), bind=None, first=None, wait=True):
        """A client socket that has called connect(): its handle, the error, and its port."""
        handle = self.handle()
        options = list(options)
        if self.random.random() < 0.2 and self.c.name != "c2":
            options.append([6, TCP_CONGESTION, self.random.choice((b"reno", b"cubic")).hex()])
        ops = [["socket", handle, SOURCE[self.family], options, bind]]
        if first is not None:
            ops.append(["first_sequence", handle, first])
        ops.append(["connect", handle, [address(side, self.family), port]])
        failed, local = await self.c.do(*ops)
        if wait:
            await self.c.do(["wait", handle, "w", 20])
        return handle, failed, local

    async def pair(self, policy=None, own=None, options=(), first=None, backlog=64, server_options=()):
        """A connection, both ends: the client's handle and the server's."""
        if own is not None:
            listener, port = await self.listener(own, backlog, server_options)
        else:
            listener, port = self.stage.shared[self.s.name, policy or self.policy, self.family]
        client, _, local = await self.connect(port, options=options, first=first)
        server = await self.s.do(["accept", listener, local, 20])
        if server is None:
            await self.c.do(["close", client])
            raise LookupError("not accepted")
        return client, server

    async def transfer(self, sender, handle, receiver, other, count):
        """Payload from one end to the other, all of it read."""
        sent = 0
        got = 0
        while got < count:
            if sent < count:
                step = await sender.do(["send", handle, min(count - sent, 20000)])
                if step > 0:
                    sent += step
                elif step not in (0, -11):
                    return
            await receiver.do(["wait", other, "r", 20])
            step = await receiver.do(["recv", other, 1 << 16])
            if step == 0 or step < 0 and step != -11:
                return
            got += max(step, 0)

    async def chat(self, client, server, most=4000):
        """A request and an answer, or nothing at all."""
        if self.random.random() < 0.25:
            return
        await self.transfer(self.c, client, self.s, server, self.random.randint(1, most))
        await self.transfer(self.s, server, self.c, client, self.random.randint(1, most))

    async def read_end(self, agent, handle, seconds=20):
        """Wait for the FIN, and read up to it."""
        await agent.do(["wait", handle, "h", seconds], ["drain", handle])
