# SPDX-License-Identifier: Apache-2.0
"""The tarball for hosts without Debian's packages: everything below a prefix, and a script that installs it."""
import os
import shutil

from release import ROOT, compressed, epoch, read, tar, tree, version
from stage import copy, stage

DOES = {"tcpstate-trace": "traces TCP state transitions", "tcpstate-exporter": "exports TCP states to Prometheus"}
LINK = "  ./install.sh --tcpstates           also under the name tcpstates\n"
HERE = os.path.dirname(os.path.abspath(__file__))


def tarball(program, binary, bill, build_folder, architecture):
    """The archive's name and bytes. bill: the text of the SBOM."""
    name = f"{program}-{version()}-linux-{architecture}"
    work = f"{build_folder}/tarball/{name}"
    shutil.rmtree(f"{build_folder}/tarball", ignore_errors=True)
    stage(program, binary, build_folder, f"{work}/files")
    for source, target in (("LICENSE", "LICENSE"), ("bpf/LICENSE", "LICENSE.bpf"), ("CHANGELOG.md", "CHANGELOG.md"),
                           ("LICENSES/GPL-2.0-only.txt", "LICENSES/GPL-2.0-only.txt"),
                           ("LICENSES/BSD-2-Clause.txt", "LICENSES/BSD-2-Clause.txt")):
        copy(os.path.join(ROOT, source), f"{work}/files/share/doc/{program}/{target}")
    with open(f"{work}/files/share/doc/{program}/sbom.spdx.json", "w", encoding="utf-8") as file:
        file.write(bill)
    words = {"@PROGRAM@": program, "@DOES@": DOES[program], "@LINK@": LINK if program == "tcpstate-trace" else ""}
    for name, mode in (("install.sh", 0o755), ("README", 0o644)):
        text = read(f"{HERE}/tarball/{name}").decode()
        for word, value in words.items():
            text = text.replace(word, value)
        with open(f"{work}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(f"{work}/{name}", mode)
    entries = [(f"{name}/{path}", data, mode) for path, data, mode in tree(work)]
    return f"{name}.tar.gz", compressed(tar(entries))
