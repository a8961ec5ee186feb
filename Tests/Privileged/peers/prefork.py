# SPDX-License-Identifier: Apache-2.0
"""Listens, and lets a child serve one connection by echoing; prints the port and the child's PID."""
import os
import socket
import sys

listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
child = os.fork()
if child == 0:
    connection = listener.accept()[0]
    while data := connection.recv(100):
        connection.sendall(data)
    connection.close()
    os._exit(0)
print(listener.getsockname()[1], child, flush=True)
sys.stdin.read()
os.waitpid(child, 0)
