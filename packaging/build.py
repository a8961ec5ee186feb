#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the packages in dist/ from what `make packages` has built: build.py [OUT]

For each program: a Debian package with its symbols apart, a tarball, an image, and what is linked in (SPDX), then
SHA256SUMS. Nothing depends on the folder or the time of the build: the time is the commit's.
"""
import os
import subprocess
import sys

import deb
import image
import sbom
import tarball
from release import ROOT, architecture, read, sha256, version

# Each has a row in stage.DOCUMENTS and a stanza in debian/control.
PROGRAMS = ["tcpstate-trace"]
BUILD = os.path.join(ROOT, ".build")


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    print(path)


def stripped(binary):
    target = f"{binary}.stripped"
    subprocess.run(["strip", "--strip-all", "-o", target, binary], check=True)
    return target


def package(program, out):
    dynamic, linked = f"{BUILD}/release/{program}", f"{BUILD}/static/{program}.linked"
    static = stripped(f"{BUILD}/static/{program}")
    target = architecture(dynamic)
    deb.build(program, dynamic, sbom.text(program, dynamic, linked), BUILD, out, target)
    bill = sbom.text(program, static, linked)
    name, data = tarball.tarball(program, static, bill, BUILD, target)
    write(f"{out}/{name}", data)
    write(f"{out}/{program}-{version()}-{target}.oci.tar", image.image(program, static, target))
    write(f"{out}/{program}-{version()}-{target}.spdx.json", bill.encode())


def main():
    out = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "dist"))
    os.makedirs(out, exist_ok=True)
    for name in os.listdir(out):  # of an earlier version
        if name.startswith(tuple(PROGRAMS)) or name == "SHA256SUMS":
            os.remove(os.path.join(out, name))
    for program in PROGRAMS:
        package(program, out)
    names = sorted(name for name in os.listdir(out) if name != "SHA256SUMS")
    sums = "".join(f"{sha256(read(os.path.join(out, name)))}  {name}\n" for name in names)
    write(f"{out}/SHA256SUMS", sums.encode())


if __name__ == "__main__":
    main()
