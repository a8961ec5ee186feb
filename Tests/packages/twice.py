# SPDX-License-Identifier: Apache-2.0
"""Two clones of the commit, in folders of different names, give the same packages; and what is in them is right."""
import os
import re
import shutil
import subprocess
import tempfile

import roots

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def build(folder, commit):
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    subprocess.run(["git", "-C", folder, "checkout", "--quiet", commit], check=True)
    made = subprocess.run(["make", "-C", folder, "packages"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        raise AssertionError(made.stdout)
    with open(f"{folder}/dist/SHA256SUMS", encoding="utf-8") as file:
        return dict(reversed(line.split()) for line in file)


def lint(folder):
    """lintian has nothing to say, beyond what an override explains."""
    found = subprocess.run("lintian --tag-display-limit 0 --allow-root *.changes", shell=True, cwd=f"{folder}/.build/deb",
                           text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    if re.search("^[EW]: ", found, re.M):
        raise AssertionError(found)


def spdx(dist):
    """The list of what is linked in, read by SPDX's own tools."""
    def make(folder):
        subprocess.run(["python3", "-m", "venv", folder], check=True)
        with open(f"{ROOT}/scripts/dependencies.txt", encoding="utf-8") as file:
            packages = [line.split()[1] for line in file if line.startswith("spdx-python")]
        subprocess.run([f"{folder}/bin/python3", "-m", "pip", "install", "--quiet", *packages], check=True)
    folder = roots.made("spdx", make)
    for name in sorted(os.listdir(dist)):
        if name.endswith(".spdx.json"):
            subprocess.run([f"{folder}/bin/pyspdxtools", "-i", f"{dist}/{name}"], check=True)


def check(_):
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout.strip()
    work = tempfile.mkdtemp(prefix="tcpstate-twice-")
    try:
        first, second = f"{work}/one", f"{work}/another folder/two-of-them".replace(" ", "-")
        os.makedirs(os.path.dirname(second))
        a, b = build(first, commit), build(second, commit)
        different = sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))
        if different or not a:
            raise AssertionError(f"not the same bytes: {different}")
        print(f"twice: {len(a)} files are the same bytes from two folders", flush=True)
        lint(first)
        spdx(f"{first}/dist")
        print("twice: lintian and pyspdxtools have no complaint", flush=True)
    finally:
        shutil.rmtree(work)
