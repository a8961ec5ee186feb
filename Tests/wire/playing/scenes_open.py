# SPDX-License-Identifier: Apache-2.0
"""The ways in which connections begin, or fail to."""
import asyncio

from playing.scenes import SOURCE, address, kind, wildcard

TCP_SYNCNT, TCP_DEFER_ACCEPT = 7, 9


async def finish(s, client, server):
    await s.c.do(["close", client])
    await s.read_end(s.s, server)
    await s.s.do(["close", server])


@kind(weight=2)
async def refused(s):
    handle, _, _ = await s.connect(1, wait=False)
    await s.c.do(["wait", handle, "w", 5], ["error", handle], ["close", handle])


@kind(weight=1, slow=True)
async def connect_times_out(s):
    _, port = await s.listener({"drop": [["*", "syn", 99]]})
    handle, _, _ = await s.connect(port, options=[[6, TCP_SYNCNT, 1]], wait=False)
    await s.c.do(["wait", handle, "w", 10], ["error", handle], ["close", handle])
    await s.end_listener()


@kind(weight=1)
async def connect_given_up(s):
    _, port = await s.listener({"drop": [["*", "syn", 99]]})
    handle, _, _ = await s.connect(port, wait=False)
    await s.pause(0.01, 0.3)
    await s.c.do(["close", handle])
    await s.end_listener()


@kind(weight=1, slow=True)
async def unreachable(s):
    """ICMP errors in answer to the SYN: host unreachable, administratively prohibited, port unreachable."""
    six = s.family == "v6"
    icmp = s.random.choice([[1, 0], [1, 1], [1, 3], [1, 4]] if six else [[3, 0], [3, 1], [3, 3], [3, 13]])
    _, port = await s.listener({"icmp": icmp})
    handle, _, _ = await s.connect(port, options=[[6, TCP_SYNCNT, 1]], wait=False)
    await s.c.do(["wait", handle, "w", 10], ["error", handle], ["close", handle])
    await s.end_listener()


@kind(weight=1)
async def no_port(s):
    """The only port that the socket may use leads to the same peer already."""
    if s.family == "v6":
        s.family = "v4"
    listener, port = await s.listener()
    local = s.random.randint(60000, 64999)
    options = [[0, 51, (local | local << 16).to_bytes(4, "little").hex()]]
    client, _, mine = await s.connect(port, options=options)
    server = await s.s.do(["accept", listener, mine, 5])
    handle, failed, _ = await s.connect(port, options=options, wait=False)
    await s.c.do(["close", handle])
    await finish(s, client, server)
    await s.end_listener()


@kind(weight=1)
async def no_route(s):
    handle = s.handle()
    target = "2001:db8::1" if s.family == "v6" else "203.0.113.1"
    target = f"::ffff:{target}" if s.family == "mapped" else target
    await s.c.do(["socket", handle, SOURCE[s.family], [], None], ["connect", handle, [target, 9]], ["close", handle])


@kind(weight=2, slow=True)
async def syn_lost(s):
    client, server = await s.pair(own={"drop": [["A", "syn", 1]]})
    await s.chat(client, server)
    await finish(s, client, server)
    await s.end_listener()


@kind(weight=2, slow=True)
async def syn_ack_lost(s):
    client, server = await s.pair(own={"drop": [["B", "synack", 1]]})
    await s.chat(client, server)
    await finish(s, client, server)
    await s.end_listener()


@kind(weight=1, slow=True)
async def syn_acks_all_lost(s):
    _, port = await s.listener({"drop": [["B", "synack", 99]]})
    handle, _, _ = await s.connect(port, options=[[6, TCP_SYNCNT, 1]], wait=False)
    await s.c.do(["wait", handle, "w", 10], ["error", handle], ["close", handle])
    await s.pause(6)
    await s.end_listener()


@kind(weight=1, slow=True)
async def last_ack_of_handshake_lost(s):
    """The server stays half open until the client's payload comes."""
    listener, port = await s.listener({"drop": [["A", "ack", 1]]})
    client, _, local = await s.connect(port)
    await s.pause(0.05, 0.4)
    await s.c.do(["send", client, 200])
    server = await s.s.do(["accept", listener, local, 10])
    await finish(s, client, server)
    await s.end_listener()


@kind(weight=1, slow=True)
async def half_open_dies(s):
    """No ACK ever reaches the server, so that its request runs out; the client aborts."""
    _, port = await s.listener({"drop": [["A", "ack,data,fin,rst", 99]]})
    client, _, _ = await s.connect(port)
    await s.pause(8)
    await s.c.do(["abort", client])
    await s.end_listener()


@kind(weight=1)
async def unaccepted(s):
    """The listener is closed while connections wait in its queue."""
    _, port = await s.listener()
    handle, _, _ = await s.connect(port)
    if s.random.random() < 0.3:
        await s.c.do(["close", handle])
        handle = None
    await s.pause(0.02, 0.2)
    await s.end_listener()
    if handle:
        await s.c.do(["wait", handle, "r", 5], ["error", handle], ["close", handle])


@kind(weight=1, slow=True)
async def queue_overflows(s):
    """A backlog of 0 lets one in; the others stay in SYN-SENT, or believe to be connected."""
    listener, port = await s.listener(backlog=0)
    clients = [await s.connect(port, options=[[6, TCP_SYNCNT, 2]], wait=False) for _ in range(3)]
    await s.pause(0.6)
    servers = {clients[0][2]: await s.s.do(["accept", listener, clients[0][2], 4])}
    await s.pause(4)
    for handle, _, local in clients:
        server = servers.get(local) or await s.s.do(["accept", listener, local, 0.1])
        await s.c.do(["close", handle])
        if server:
            await s.s.do(["wait", server, "r", 3], ["drain", server], ["close", server])
    await s.end_listener()


@kind(weight=1)
async def deferred(s):
    """TCP_DEFER_ACCEPT: the connection is there with the first payload."""
    listener, port = await s.listener(options=[[6, TCP_DEFER_ACCEPT, 3]])
    client, _, local = await s.connect(port)
    await s.pause(0.01, 0.3)
    await s.c.do(["send", client, 50])
    server = await s.s.do(["accept", listener, local, 8])
    await s.s.do(["drain", server])
    await finish(s, client, server)
    await s.end_listener()


@kind(weight=2)
async def simultaneous_open(s):
    """Both ends call connect(), and their SYNs cross."""
    s.family = s.random.choice(("v4", "v6"))
    here, there = next(s.stage.ports), next(s.stage.ports)
    await s.relay.request("policy", here, {"delay": 0.03})
    one, other = s.handle(), s.handle("d")
    first = s.random.choice((None, 0xFFFFFFF0))
    bind = [["socket", h, SOURCE[s.family], [], [address(side, s.family), port]] for h, side, port in
            ((one, "A", here), (other, "B", there))]
    if first:
        s.as_root()
        await asyncio.gather(s.c.do(bind[0], ["first_sequence", one, first]), s.s.do(bind[1], ["first_sequence", other, first]))
    else:
        await asyncio.gather(s.c.do(bind[0]), s.s.do(bind[1]))
    await asyncio.gather(s.c.do(["connect", one, [address("B", s.family), there]], ["wait", one, "w", 5]),
                         s.s.do(["connect", other, [address("A", s.family), here]], ["wait", other, "w", 5]))
    await s.transfer(s.c, one, s.s, other, 500)
    await finish(s, one, other)


@kind(weight=1)
async def self_connect(s):
    s.family = s.random.choice(("v4", "v6"))
    port = next(s.stage.ports)
    home = "127.0.0.1" if s.family == "v4" else "::1"
    handle = s.handle()
    await s.c.do(["socket", handle, SOURCE[s.family], [], [home, port]], ["connect", handle, [home, port]],
                 ["wait", handle, "w", 5], ["send", handle, 77], ["wait", handle, "r", 5], ["drain", handle])
    if s.random.random() < 0.5:
        await s.c.do(["shutdown", handle, 1])
        await s.pause(0.01)
    await s.c.do(["close", handle])


@kind(weight=2)
async def loopback(s):
    """Both ends on the loopback device of one namespace."""
    s.family = s.random.choice(("v4", "v6"))
    other = s.stage.remotes["c1" if s.c.name == "c0" else "c0"]
    home = "127.0.0.1" if s.family == "v4" else "::1"
    port = next(s.stage.ports)
    listener = f"L{port}"
    await s.stage.listen(other.name, listener, s.family, port, address_=home)
    client = s.handle()
    _, local = await s.c.do(["socket", client, SOURCE[s.family], [], None], ["connect", client, [home, port]])
    server = await other.do(["accept", listener, local, 5])
    s.s = other
    await s.chat(client, server, 30000)
    await finish(s, client, server)
    await other.do(["close", listener])


@kind(weight=2)
async def sequence_wraps(s):
    """The client's numbers pass 2^32 in the handshake, in the payload, or at the FIN."""
    s.as_root()
    first = 0x100000000 - s.random.choice((1, 2, 3, 20, 1000))
    client, server = await s.pair(first=first)
    await s.transfer(s.c, client, s.s, server, s.random.choice((1, 18, 19, 20, 998, 3000)))
    await finish(s, client, server)


@kind(weight=2)
async def port_reused(s):
    """The server is in TIME-WAIT when the client comes again from the same port."""
    s.as_root()
    port = next(s.stage.ports)
    listener = s.stage.shared[s.s.name, "plain", s.family]
    bind = [wildcard(s.family), port]
    for turn in range(2):
        client, _, local = await s.connect(listener[1], bind=bind, options=[[1, 2, 1]], first=1000 + 100000 * turn)
        server = await s.s.do(["accept", listener[0], local, 5])
        await s.s.do(["close", server])
        await s.read_end(s.c, client)
        await s.c.do(["close", client])
        await s.pause(0.05, 0.2)


@kind(weight=1)
async def time_wait_reset(s):
    """A RST of the next sequence number ends TIME-WAIT."""
    client, server = await s.pair(own={"follow": True})
    await finish(s, client, server)
    await s.pause(0.3, 0.8)
    await s.relay.request("reset", s.own_port, [0])
    await s.pause(0.2)
    await s.end_listener()
