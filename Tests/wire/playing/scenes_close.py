# SPDX-License-Identifier: Apache-2.0
"""The ways in which established connections end."""
from playing.scenes import kind


@kind(weight=6)
async def client_closes_first(s):
    client, server = await s.pair()
    await s.chat(client, server)
    await s.pause(0, 0.05)
    await s.c.do(["close", client])
    await s.read_end(s.s, server)
    await s.pause(0, 0.05)
    await s.s.do(["close", server])


@kind(weight=5)
async def server_closes_first(s):
    client, server = await s.pair()
    await s.chat(client, server)
    await s.s.do(["close", server])
    await s.read_end(s.c, client)
    await s.pause(0, 0.05)
    await s.c.do(["close", client])


@kind(weight=4)
async def half_close(s):
    """The client shuts its sending side down, and the server answers after it."""
    client, server = await s.pair()
    await s.chat(client, server)
    await s.c.do(["shutdown", client, 1])
    await s.read_end(s.s, server)
    if s.random.random() < 0.7:
        await s.transfer(s.s, server, s.c, client, s.random.randint(1, 9000))
    await s.pause(0, 0.02)
    await s.s.do(["close", server])
    await s.read_end(s.c, client)
    await s.pause(0, 0.05)
    await s.c.do(["close", client])


@kind(weight=2)
async def shutdown_both(s):
    client, server = await s.pair()
    await s.chat(client, server)
    await s.c.do(["shutdown", client, 2])
    await s.read_end(s.s, server)
    await s.s.do(["shutdown", server, s.random.choice((1, 2))])
    await s.pause(0, 0.03)
    await s.s.do(["close", server])
    await s.c.do(["close", client])


@kind(weight=2)
async def orphan_after_shutdown(s):
    """shutdown(), then close() while the other end still sends nothing: FIN-WAIT-2 without a process."""
    client, server = await s.pair()
    await s.c.do(["shutdown", client, 1])
    await s.read_end(s.s, server)
    await s.pause(0.004, 0.06)
    await s.c.do(["close", client])
    await s.pause(0.001, 0.4)
    await s.s.do(["close", server])


@kind(weight=2)
async def held_close_wait(s):
    """The server keeps CLOSE-WAIT for a while, the client is an orphan in FIN-WAIT-2."""
    client, server = await s.pair()
    await s.chat(client, server)
    await s.c.do(["close", client])
    await s.read_end(s.s, server)
    await s.pause(0.2, 3)
    await s.s.do(["close", server])


@kind(weight=1, slow=True)
async def orphan_runs_out(s):
    """TCP_LINGER2 ends the orphan's FIN-WAIT-2 before the peer closes."""
    client, server = await s.pair(options=[[6, 8, 2]])
    await s.c.do(["close", client])
    await s.read_end(s.s, server)
    await s.pause(3.5)
    await s.s.do(["close", server])


@kind(weight=1)
async def orphan_gets_data(s):
    """Payload for an orphan in FIN-WAIT-2 is answered with a RST."""
    client, server = await s.pair()
    await s.c.do(["close", client])
    await s.read_end(s.s, server)
    await s.pause(0.01, 0.05)
    await s.s.do(["send", server, 100])
    await s.pause(0.05)
    await s.s.do(["error", server], ["close", server])


@kind(weight=2)
async def simultaneous_close(s):
    client, server = await s.pair(policy="delay")
    await s.chat(client, server)
    close = s.random.choice((["close"], ["shutdown", 1]))
    await s.c.do([close[0], client, *close[1:]])
    await s.s.do(["close", server])
    await s.pause(0.08)
    if close[0] == "shutdown":
        await s.c.do(["close", client])


@kind(weight=2)
async def aborted_by_linger(s):
    client, server = await s.pair()
    await s.chat(client, server)
    if s.random.random() < 0.5:
        await s.c.do(["abort", client])
        await s.s.do(["wait", server, "r", 5], ["recv", server, 100], ["close", server])
    else:
        await s.s.do(["abort", server])
        await s.c.do(["wait", client, "r", 5], ["recv", client, 100], ["close", client])


@kind(weight=1)
async def aborted_in_close_wait(s):
    client, server = await s.pair()
    await s.c.do(["close", client])
    await s.read_end(s.s, server)
    await s.pause(0.005, 0.08)
    await s.s.do(["abort", server])


@kind(weight=2)
async def unread_at_close(s):
    client, server = await s.pair()
    await s.c.do(["send", client, s.random.randint(1, 5000)])
    await s.s.do(["wait", server, "r", 5])
    closed = s.random.random() < 0.5
    if closed:
        await s.c.do(["close", client])
    await s.pause(0.03, 0.08)
    await s.s.do(["close", server])
    await s.pause(0.04)
    if not closed:
        await s.c.do(["error", client], ["close", client])


@kind(weight=1)
async def unread_after_fin(s):
    """The server answers after the FIN, and the client closes without reading it."""
    client, server = await s.pair()
    await s.c.do(["shutdown", client, 1])
    await s.read_end(s.s, server)
    await s.s.do(["send", server, 300])
    await s.c.do(["wait", client, "r", 5])
    await s.c.do(["close", client])
    await s.pause(0.03)
    await s.s.do(["error", server], ["close", server])


@kind(weight=1)
async def disconnected(s):
    client, server = await s.pair()
    await s.chat(client, server)
    await s.c.do(["disconnect", client])
    await s.s.do(["wait", server, "r", 5], ["recv", server, 10], ["close", server])
    await s.c.do(["close", client])


@kind(weight=1)
async def reset_on_the_way(s):
    """A middlebox resets one end or both, in ESTABLISHED or after a half-close."""
    client, server = await s.pair(own={"follow": True})
    await s.chat(client, server)
    if s.random.random() < 0.5:
        await s.c.do(["shutdown", client, 1])
        await s.read_end(s.s, server)
    await s.pause(0.06)
    await s.relay.request("reset", s.own_port, [0, 1])
    await s.pause(0.03)
    await s.c.do(["error", client], ["close", client])
    await s.s.do(["error", server], ["close", server])
    await s.end_listener()


@kind(weight=1)
async def killed(s):
    """SOCK_DESTROY, as ss -K uses it."""
    client, server = await s.pair()
    await s.c.do(["info", client])
    await s.stage.destroy(s, client)
    await s.pause(0.03)
    await s.c.do(["error", client], ["close", client])
    await s.s.do(["wait", server, "r", 5], ["recv", server, 10], ["close", server])


@kind(weight=1, slow=True)
async def no_answer(s):
    """TCP_USER_TIMEOUT gives up on payload that nobody acknowledges."""
    client, server = await s.pair(own={}, options=[[6, 18, 1500]])
    await s.relay.request("policy", s.own_port, {"drop": [["*", "data,ack,fin,rst", 99]]})
    await s.c.do(["send", client, 500], ["wait", client, "e", 12], ["error", client], ["close", client])
    await s.relay.request("forget", s.own_port)
    await s.s.do(["close", server])
    await s.end_listener()


@kind(weight=1, slow=True)
async def fin_never_acknowledged(s):
    client, server = await s.pair(own={}, options=[[6, 18, 1500]])
    await s.relay.request("policy", s.own_port, {"drop": [["*", "data,ack,fin,rst", 99]]})
    await s.c.do(["close", client])
    await s.pause(5)
    await s.relay.request("forget", s.own_port)
    await s.s.do(["close", server])
    await s.end_listener()


@kind(weight=1, slow=True)
async def last_ack_never_comes(s):
    client, server = await s.pair(own={}, server_options=[[6, 18, 1500]])
    await s.c.do(["close", client])
    await s.read_end(s.s, server)
    await s.relay.request("policy", s.own_port, {"drop": [["*", "data,ack,fin,rst", 99]]})
    await s.s.do(["close", server])
    await s.pause(5)
    await s.relay.request("forget", s.own_port)
    await s.end_listener()


@kind(weight=1, slow=True)
async def keepalive_dies(s):
    client, server = await s.pair(own={}, options=[[1, 9, 1], [6, 4, 1], [6, 5, 1], [6, 6, 2]])
    await s.relay.request("policy", s.own_port, {"drop": [["*", "data,ack,fin,rst", 99]]})
    await s.c.do(["wait", client, "e", 12], ["error", client], ["close", client])
    await s.relay.request("forget", s.own_port)
    await s.s.do(["close", server])
    await s.end_listener()


@kind(weight=1)
async def lost_fin(s):
    """The first FIN is lost, or the ACK of the last one: both are sent again."""
    first = s.random.random() < 0.5
    client, server = await s.pair(own={"drop": [["A", "fin", 1]] if first else []})
    await s.chat(client, server)
    await s.pause(0.06)
    await s.c.do(["close", client])
    await s.read_end(s.s, server)
    if not first:
        await s.relay.request("policy", s.own_port, {"drop": [["A", "ack", 1]]})
    await s.s.do(["close", server])
    await s.pause(1)
    await s.end_listener()


@kind(weight=1)
async def unsent_at_close(s):
    """The peer doesn't read, so that the FIN waits behind payload; then it reads all."""
    client, server = await s.pair(own={}, server_options=[[1, 8, 4096]])
    await s.c.do(["fill", client])
    await s.pause(0.02)
    await s.c.do(["close", client])
    await s.pause(0.1, 0.3)
    await s.s.do(["drain", server])
    for _ in range(400):
        if await s.s.do(["wait", server, "r", 3], ["recv", server, 1 << 17]) == 0:
            break
    await s.s.do(["close", server])
    await s.end_listener()
