# SPDX-License-Identifier: Apache-2.0
"""The tarball for hosts without Debian's packages: everything below a prefix, and a script that installs it."""
import os
import shutil

from release import ROOT, compressed, epoch, read, tar, tree, version
from stage import copy, stage

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
    copy(f"{HERE}/tarball/install.sh", f"{work}/install.sh", 0o755)
    copy(f"{HERE}/tarball/README", f"{work}/README")
    entries = [(f"{name}/{path}", data, mode) for path, data, mode in tree(work)]
    return f"{name}.tar.gz", compressed(tar(entries))
