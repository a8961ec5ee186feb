# SPDX-License-Identifier: Apache-2.0
"""The Debian package, by debhelper, from a program that is built already; and its symbols in -dbgsym."""
import email.utils
import glob
import os
import shutil
import subprocess

from release import ROOT, epoch, version
from stage import copy, stage

HERE = os.path.dirname(os.path.abspath(__file__))


def changelog(program):
    date = email.utils.formatdate(epoch())
    return (f"{program} ({version()}) unstable; urgency=medium\n\n  * See CHANGELOG.md.gz for what has changed.\n\n"
            f" -- {program} maintainers <{maintainer()}>  {date}\n")


def maintainer():
    """The address in debian/control."""
    with open(f"{HERE}/debian/control", encoding="utf-8") as file:
        return next(line.split("<")[1].rstrip(">\n") for line in file if line.startswith("Maintainer:"))


def build(program, binary, bill, build_folder, out, architecture):
    """Makes the packages of debian/control in `out`.

    bill: the text of the SBOM.
    """
    work = f"{build_folder}/deb/{program}"
    shutil.rmtree(f"{build_folder}/deb", ignore_errors=True)
    shutil.copytree(f"{HERE}/debian", f"{work}/debian")
    os.chmod(f"{work}/debian/rules", 0o755)
    stage(program, binary, build_folder, f"{work}/stage")
    # Debian's folder for zsh's functions of packages.
    os.rename(f"{work}/stage/share/zsh/site-functions", f"{work}/stage/share/zsh/vendor-completions")
    copy(f"{ROOT}/CHANGELOG.md", f"{work}/stage/share/doc/{program}/CHANGELOG.md")
    with open(f"{work}/debian/changelog", "w", encoding="utf-8") as file:
        file.write(changelog(program))
    with open(f"{work}/stage/share/doc/{program}/sbom.spdx.json", "w", encoding="utf-8") as file:
        file.write(bill)
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/nonexistent",
                   "SOURCE_DATE_EPOCH": str(epoch())}
    log = subprocess.run(["dpkg-buildpackage", "--build=binary", "--unsigned-changes", "--unsigned-buildinfo",
                          "--no-check-builddeps", f"--host-arch={architecture}"],
                         cwd=work, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if log.returncode:
        raise SystemExit(f"{log.stdout}\ndpkg-buildpackage failed")
    for path in sorted(glob.glob(f"{build_folder}/deb/*.deb")):
        shutil.copyfile(path, os.path.join(out, os.path.basename(path)))
