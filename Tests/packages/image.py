# SPDX-License-Identifier: Apache-2.0
"""The image with the least rights that tracing takes."""
import glob
import json
import os
import subprocess
import time

from leak import Leak

RIGHTS = ["--cap-drop=ALL", "--cap-add=BPF,PERFMON", "--security-opt=no-new-privileges",
          "--security-opt=seccomp=unconfined", "--pid=host", "--network=host", "--read-only"]


def run(*command, status=0):
    process = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if process.returncode != status:
        raise AssertionError(f"{' '.join(command)}: {process.returncode}\n{process.stdout}{process.stderr}")
    return process.stdout


def podman(*arguments, status=0):
    return run("podman", "--runtime", "runc", *arguments, status=status)


def container(name, rights, *arguments, status=0):
    limits = ["--ulimit", "nofile=20000:20000", "--ulimit", "nproc=4096:4096"]
    return podman("run", "--rm", *limits, *rights, name, *arguments, status=status)


def check(dist):
    [archive] = glob.glob(f"{dist}/tcpstate-trace-*.oci.tar")
    inspected = json.loads(run("skopeo", "inspect", f"oci-archive:{archive}"))
    config = json.loads(run("skopeo", "inspect", "--config", f"oci-archive:{archive}"))
    if len(inspected["Layers"]) != 1 or config["config"]["Entrypoint"] != ["/tcpstate-trace"]:
        raise AssertionError(f"not the program alone: {inspected} {config}")
    name = podman("load", "--quiet", "--input", archive).split()[-1]
    try:
        container(name, ["--cap-drop=ALL", "--network=none"], "--version")
        with Leak() as leak:
            start = time.monotonic()
            answer = container(name, RIGHTS, "stuck", "--older-than", "0s", "-L", str(leak.port), status=1)
            seconds = time.monotonic() - start
            if f":{leak.port}" not in answer or "held" not in answer:
                raise AssertionError(answer)
        container(name, RIGHTS, "--for", "1s")
        # Without them it says which are missing.
        container(name, ["--cap-drop=ALL", "--pid=host", "--security-opt=seccomp=unconfined"], "stuck", status=77)
        print(f"image: {os.path.getsize(archive) / 1e6:.1f} MB, answer after {seconds:.1f} s with "
              f"{' '.join(RIGHTS)}", flush=True)
    finally:
        podman("rmi", "--force", name)
