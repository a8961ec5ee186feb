# SPDX-License-Identifier: Apache-2.0
"""Runs a real server and connects to it: servers.py nginx|gunicorn|socat COUNT

Prints the port; then, at the first line of standard input, makes the connections and prints for each its own port and the
PID of the process that answered. Half of them are closed by the server, the others stay open until standard input ends.
"""
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

kind, count = sys.argv[1], int(sys.argv[2])
reserved = socket.socket()
reserved.bind(("127.0.0.1", 0))
port = reserved.getsockname()[1]
reserved.close()
folder = tempfile.TemporaryDirectory()
os.chmod(folder.name, 0o755)

NGINX = """worker_processes 2; daemon off; pid {0}/pid; error_log {0}/err; events {{}}
http {{ access_log off; client_body_temp_path {0}/1; proxy_temp_path {0}/2; fastcgi_temp_path {0}/3; uwsgi_temp_path {0}/4;
scgi_temp_path {0}/5; server {{ listen 127.0.0.1:{1}; location / {{ return 200 "$pid\\n"; }} }} }}
"""
APPLICATION = """import os
def application(environment, start):
    body = b"%d\\n" % os.getpid()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def write(name, text):
    with open(folder.name + "/" + name, "w") as file:
        file.write(text)


if kind == "nginx":
    write("nginx.conf", NGINX.format(folder.name, port))
    command = ["nginx", "-c", folder.name + "/nginx.conf"]
elif kind == "gunicorn":
    write("served.py", APPLICATION)
    command = ["gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "served:application"]
else:
    command = ["socat", f"TCP-LISTEN:{port},bind=127.0.0.1,fork,backlog=128", "SYSTEM:'echo $SOCAT_PID; cat'"]
server = subprocess.Popen(
    command, cwd=folder.name, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
)


def connect():
    made = socket.create_connection(("127.0.0.1", port))
    made.settimeout(30)
    return made


def ask(made, closes):
    if kind != "socat":
        made.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n" + (b"Connection: close\r\n" if closes else b"") + b"\r\n")
    answer = b""
    while not (answer if kind == "socat" else answer.partition(b"\r\n\r\n")[2]).endswith(b"\n"):
        answer += made.recv(4096)
    return int(answer.split()[-1])


try:
    while True:
        try:
            connect().close()
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    print(port, flush=True)
    sys.stdin.readline()
    kept = []
    for index in range(count):
        made = connect()
        print(made.getsockname()[1], ask(made, index % 2), flush=True)
        kept.append(made)
    sys.stdin.read()
finally:
    os.killpg(server.pid, signal.SIGKILL)
