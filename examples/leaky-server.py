#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server with a bug to find: it forgets to close one connection in ten.

    python3 examples/leaky-server.py [PORT]      answers HTTP on 127.0.0.1:8080
    python3 examples/leaky-server.py --fix       the same without the bug

It makes its own visitors, two a second, so that there is something to see.
"""
import os
import socket
import sys
import threading
import time

RESPONSE = b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nhi\n"
fixed = "--fix" in sys.argv
port = int(next((word for word in sys.argv[1:] if word.isdigit()), 8080))
cache = {}


def serve(listener):
    number = 0
    while True:
        connection, peer = listener.accept()
        request = connection.recv(4096)
        connection.sendall(RESPONSE)
        number += 1
        if number % 10 == 0 and not fixed:
            cache[peer] = (connection, request)  # "for later": nobody comes back for it
        else:
            connection.close()


def visit():
    while True:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            client.recv(4096)
        time.sleep(0.5)


def main():
    with socket.create_server(("127.0.0.1", port)) as listener:
        threading.Thread(target=visit, daemon=True).start()
        print("Serving http://127.0.0.1:%d/ as process %d. Ctrl-C ends." % (port, os.getpid()), flush=True)
        try:
            serve(listener)
        except KeyboardInterrupt:
            pass


main()
