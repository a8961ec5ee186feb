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

BUILD = os.path.join(ROOT, ".build")
# Program: the folder of its build. Each has a row in stage.DOCUMENTS, and a stanza and an .install file in debian/.
PROGRAMS = {"tcpstate-trace": BUILD, "tcpstate-exporter": os.path.join(ROOT, "fleet/.build")}


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    print(path)


def stripped(binary):
    target = f"{binary}.stripped"
    subprocess.run(["strip", "--strip-all", "-o", target, binary], check=True)
    return target


def dynamic(program):
    return f"{PROGRAMS[program]}/release/{program}"


def bill_of(program, binary):
    return sbom.text(program, binary, f"{BUILD}/static/{program}.linked", PROGRAMS[program])


def package(program, out):
    static = stripped(f"{BUILD}/static/{program}")
    target = architecture(static)
    bill = bill_of(program, static)
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
    binaries = {program: dynamic(program) for program in PROGRAMS}
    bills = {program: bill_of(program, binary) for program, binary in binaries.items()}
    deb.build(binaries, bills, BUILD, out, architecture(binaries["tcpstate-trace"]))
    for program in PROGRAMS:
        package(program, out)
    names = sorted(name for name in os.listdir(out) if name != "SHA256SUMS")
    sums = "".join(f"{sha256(read(os.path.join(out, name)))}  {name}\n" for name in names)
    write(f"{out}/SHA256SUMS", sums.encode())


if __name__ == "__main__":
    main()
