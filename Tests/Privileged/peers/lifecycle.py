# SPDX-License-Identifier: Apache-2.0
"""Makes TCP connections on the loopback of its namespace, one after the other.

Each is over, or in TIME-WAIT, before the next begins. Prints how many there were.
"""
import socket
import struct
import sys

TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ, TCP_SEND_QUEUE = 19, 20, 21, 2


def pair(address, initial=None):
    """Returns both ends of a connection; `initial` is the client's initial send sequence."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family)
    listener.bind((address, 0))
    listener.listen(1)
    client = socket.socket(family)
    if initial is not None:
        # The number of a repaired queue survives the end of the repair, and connect() uses it.
        client.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        client.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE)
        client.setsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ, struct.pack("I", initial))
        client.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 0)
    client.connect(listener.getsockname())
    server = listener.accept()[0]
    listener.close()
    return client, server


def send(source, target, count):
    source.sendall(b"x" * count)
    while count:
        count -= len(target.recv(count))


def close(first, second):
    first.close()
    assert not second.recv(1)
    second.close()


def client_first(address):
    client, server = pair(address)
    send(client, server, 5000)
    send(server, client, 12345)
    close(client, server)


def server_first(address):
    client, server = pair(address)
    send(server, client, 100)
    close(server, client)


def half_close(address):
    client, server = pair(address)
    client.shutdown(socket.SHUT_WR)
    assert not server.recv(1)
    send(server, client, 3333)
    server.close()
    assert not client.recv(1)
    client.close()


def wraps(address):
    client, server = pair(address, 0xFFFFFF00)
    send(client, server, 1000)
    send(server, client, 10)
    close(client, server)


def wraps_at_once(address):
    client, server = pair(address, 0xFFFFFFFF)
    send(server, client, 10)
    close(server, client)


def wraps_by_fin(address):
    client, server = pair(address, 0xFFFFFFFE)
    close(client, server)


def aborted(address):
    client, server = pair(address)
    send(client, server, 7)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    try:
        server.recv(1)
    except ConnectionResetError:
        pass
    server.close()


def main():
    lives = (client_first, server_first, half_close, wraps, wraps_at_once, wraps_by_fin, aborted)
    for life in lives:
        life(sys.argv[1])
    print(len(lives), flush=True)


main()
