#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scene of the screenshots: scene.py ROLE FOLDER

ROLE is `server` or `clients`, each in a network namespace of its own. The server runs nginx in front of orders-api,
which has a bug: when nginx gives up on a slow order, nobody closes the connection, and it stays in CLOSE-WAIT.
Clients come from many addresses. orders-api keeps a pool of connections to a ledger, and metrics-agent
pushes to a host that doesn't answer.
"""
import os
import random
import socket
import subprocess
import sys
import threading
import time

FOLDER = sys.argv[2]
SERVER, CLIENTS, DEAD = "10.0.0.5", [f"10.0.0.{n}" for n in range(21, 41)], "10.0.1.7"
API, LEDGER, POOL = 8080, 7400, 2
SLOW_ORDERS_EVERY = 50
CONFIGURATION = f"""
worker_processes 2;
pid {FOLDER}/nginx.pid;
error_log {FOLDER}/nginx.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  keepalive_timeout 20s;
  client_body_temp_path {FOLDER}/body;
  proxy_temp_path {FOLDER}/proxy;
  fastcgi_temp_path {FOLDER}/fastcgi;
  uwsgi_temp_path {FOLDER}/uwsgi;
  scgi_temp_path {FOLDER}/scgi;
  server {{
    listen {SERVER}:80;
    location /orders {{ proxy_pass http://127.0.0.1:{API}; proxy_read_timeout 1s; }}
    location / {{ return 200 "hello\\n"; }}
  }}
}}
"""


def orders_api():
    """Answers most orders at once; a slow one's connection is forgotten."""
    forgotten = []

    def answer(connection):
        request = connection.recv(4096)
        time.sleep(random.expovariate(1 / 0.02))
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 8\r\n\r\nordered\n" if request else b"")
        connection.close()

    def query(connection):
        while True:
            connection.sendall(b"balance?\n")
            connection.recv(64)
            time.sleep(random.uniform(1, 3))

    for _ in range(POOL):
        threading.Thread(target=query, args=(socket.create_connection(("127.0.0.1", LEDGER)),), daemon=True).start()
    with socket.create_server(("127.0.0.1", API)) as listener:
        number = 0
        while True:
            connection, _ = listener.accept()
            number += 1
            if number % SLOW_ORDERS_EVERY == 7:
                forgotten.append(connection)  # the bug
            else:
                threading.Thread(target=answer, args=(connection,), daemon=True).start()


def ledger():
    def answer(connection):
        while connection.recv(64):
            connection.sendall(b"42\n")

    with socket.create_server(("127.0.0.1", LEDGER)) as listener:
        while True:
            threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


def metrics_agent():
    while True:
        try:
            socket.create_connection((DEAD, 9090), timeout=9).close()
        except OSError:
            pass
        time.sleep(4)


def named(role):
    """A process with the role's name: a script of that name."""
    path = os.path.join(FOLDER, role)
    with open(path, "w", encoding="utf-8") as script:
        script.write(f"#!{sys.executable}\nimport runpy, sys\nsys.argv = [{__file__!r}, {role!r}, {FOLDER!r}]\n"
                     f"runpy.run_path({__file__!r}, run_name='__main__')\n")
    os.chmod(path, 0o755)
    return subprocess.Popen([path])


def server():
    with open(f"{FOLDER}/nginx.conf", "w", encoding="utf-8") as file:
        file.write(CONFIGURATION)
    for role in ("ledger", "orders-api", "metrics-agent"):
        named(role)
        time.sleep(0.3)
    subprocess.run(["nginx", "-c", f"{FOLDER}/nginx.conf", "-g", "daemon off;"], check=True)


def client(address):
    """A browser's manner: a few requests on one connection, then a pause in which it stays open, or not."""
    random.seed(address)
    while True:
        try:
            with socket.create_connection((SERVER, 80), timeout=15, source_address=(address, 0)) as connection:
                for _ in range(random.randint(1, 4)):
                    path = b"/orders" if random.random() < 0.6 else b"/"
                    connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: shop\r\n\r\n")
                    connection.recv(4096)
                    time.sleep(random.expovariate(1 / 0.25))
                if random.random() < 0.3:
                    time.sleep(random.uniform(2, 30))
        except OSError:
            pass
        time.sleep(random.expovariate(1 / 1.5))


def clients():
    for address in CLIENTS:
        threading.Thread(target=client, args=(address,), daemon=True).start()
    threading.Event().wait()


{"server": server, "clients": clients, "orders-api": orders_api, "ledger": ledger,
 "metrics-agent": metrics_agent}[sys.argv[1]]()
