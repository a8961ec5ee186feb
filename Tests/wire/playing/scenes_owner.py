# SPDX-License-Identifier: Apache-2.0
"""Scenes about which process has a socket, and about the path between the ends."""
from playing.scenes import POLICIES, kind, older
from playing.scenes_open import finish


@kind(weight=3)
async def prefork(s):
    """One process opens the listener, others accept from it and read."""
    s.s = s.stage.remotes[s.random.choice(("w0", "w1"))]
    listener, port = s.stage.shared["prefork", s.family]
    client, _, local = await s.connect(port)
    server = await accept_by(s, listener, local)
    await s.chat(client, server)
    await s.pause(0, 0.05)
    if s.random.random() < 0.5:
        await finish(s, client, server)
    else:
        await s.s.do(["close", server])
        await s.read_end(s.c, client)
        await s.c.do(["close", client])


async def accept_by(s, listener, local):
    """Either worker may have been faster; whoever has it goes on."""
    for _ in range(200):
        for name in ("w0", "w1"):
            server = await s.stage.remotes[name].do(["accept", listener, local, 0])
            if server:
                s.s = s.stage.remotes[name]
                return server
        await s.pause(0.01)
    raise LookupError("not accepted")


@kind(weight=1)
async def prefork_never_reads(s):
    listener, port = s.stage.shared["prefork", s.family]
    client, _, local = await s.connect(port)
    server = await accept_by(s, listener, local)
    await s.c.do(["send", client, 10])
    await s.pause(0.1, 2)
    await s.c.do(["close", client])
    await s.pause(0.05, 1.5)
    await s.s.do(["close", server])


@kind(weight=2)
async def passed_on(s):
    """SCM_RIGHTS: another process gets the accepted socket, reads and closes it."""
    client, server = await s.pair()
    worker = s.stage.remotes["w1" if s.random.random() < 0.5 else "w0"]
    keep = s.random.random() < 0.3
    before = s.s
    async with s.stage.locks[worker.name]:
        await s.s.do(["give", server, worker.name, keep])
        await worker.do(["take", server])
    s.s = worker
    await s.chat(client, server)
    await s.pause(0, 0.03)
    await s.c.do(["close", client])
    await s.read_end(worker, server)
    if keep:
        await before.do(["close", server])
    await worker.do(["close", server])


@kind(weight=2)
async def forked(s):
    """A child has the accepted socket, the parent closes its own descriptor."""
    client, server = await s.pair()
    name = f"wire-f{s.number}"[:15]
    count = s.random.randint(1, 2000)
    steps = [["sleep", 0.05], ["send", server, count], ["sleep", 0.02]]
    how = s.random.choice(("close", "exit", "shutdown"))
    if how != "exit":
        steps.append(["close", server] if how == "close" else ["shutdown", server, 1])
    steps.append(["sleep", 0.05])
    await s.s.do(["run", name, steps, [server]])
    await s.s.do(["close", server])
    await s.read_end(s.c, client)
    await s.c.do(["close", client])
    await s.pause(0.2)
    await s.s.do(["reap", name])


@kind(weight=1)
async def killed_process(s):
    client, server = await s.pair()
    name = f"wire-k{s.number}"[:15]
    await s.s.do(["run", name, [["sleep", 60]], [server]])
    await s.s.do(["close", server])
    await s.pause(0.05, 0.3)
    await s.s.do(["kill", name])
    await s.read_end(s.c, client)
    await s.c.do(["close", client])


@older
async def older_established(s):
    """Connections that are there before the tracer is."""
    listener, port = await s.listener()
    client, _, local = await s.connect(port)
    server = await s.s.do(["accept", listener, local, 5])
    await s.chat(client, server)
    await s.tracer()
    await s.pause(0.2, 2)
    await s.chat(client, server)
    await finish(s, client, server)
    await s.end_listener()


@older
async def older_close_wait(s):
    listener, port = await s.listener()
    client, _, local = await s.connect(port)
    server = await s.s.do(["accept", listener, local, 5])
    await s.c.do(["close", client])
    await s.read_end(s.s, server)
    await s.tracer()
    await s.pause(0.2, 2)
    await s.s.do(["close", server])
    await s.end_listener()


@older
async def older_half_closed(s):
    listener, port = await s.listener()
    client, _, local = await s.connect(port)
    server = await s.s.do(["accept", listener, local, 5])
    await s.c.do(["shutdown", client, 1])
    await s.read_end(s.s, server)
    await s.tracer()
    await s.pause(0.2, 2)
    await s.transfer(s.s, server, s.c, client, 100)
    await s.s.do(["close", server])
    await s.read_end(s.c, client)
    await s.c.do(["close", client])
    await s.end_listener()


@older
async def older_listener(s):
    """A listener of before, and a connection from after it."""
    listener, port = await s.listener()
    await s.tracer()
    client, _, local = await s.connect(port)
    server = await s.s.do(["accept", listener, local, 5])
    await s.chat(client, server)
    await finish(s, client, server)
    await s.end_listener()


def through(policy):
    async def scene(s):
        s.policy = policy
        client, server = await s.pair(policy=policy)
        await s.chat(client, server, 60000)
        if s.random.random() < 0.5:
            await finish(s, client, server)
        else:
            await s.c.do(["shutdown", client, 1])
            await s.read_end(s.s, server, 30)
            await s.transfer(s.s, server, s.c, client, s.random.randint(1, 30000))
            await s.s.do(["close", server])
            await s.read_end(s.c, client, 30)
            await s.c.do(["close", client])
    scene.__name__ = f"through_{policy}"
    return scene


for name in POLICIES:
    if name != "plain":
        kind(weight=2)(through(name))
