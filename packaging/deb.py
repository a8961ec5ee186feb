# SPDX-License-Identifier: Apache-2.0
"""The Debian packages, by debhelper, from programs that are built already; and their symbols in -dbgsym."""
import email.utils
import glob
import os
import shutil
import subprocess

from release import ROOT, epoch, version
from stage import copy, stage

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = "tcpstate-trace"


def changelog():
    date = email.utils.formatdate(epoch())
    return (f"{SOURCE} ({version()}) unstable; urgency=medium\n\n  * See CHANGELOG.md.gz for what has changed.\n\n"
            f" -- {SOURCE} maintainers <{maintainer()}>  {date}\n")


def maintainer():
    """The address in debian/control."""
    with open(f"{HERE}/debian/control", encoding="utf-8") as file:
        return next(line.split("<")[1].rstrip(">\n") for line in file if line.startswith("Maintainer:"))


def files_of_systemd(debian):
    """deploy/systemd, where debhelper looks for it."""
    for path in glob.glob(f"{ROOT}/deploy/systemd/*"):
        shutil.copyfile(path, f"{debian}/{os.path.basename(path)}")


def build(binaries, bills, build_folder, out, architecture):
    """Makes the packages of debian/control in `out`.

    binaries: program: path. bills: program: the text of its SBOM.
    """
    work = f"{build_folder}/deb/{SOURCE}"
    shutil.rmtree(f"{build_folder}/deb", ignore_errors=True)
    shutil.copytree(f"{HERE}/debian", f"{work}/debian")
    os.chmod(f"{work}/debian/rules", 0o755)
    files_of_systemd(f"{work}/debian")
    for program, binary in binaries.items():
        prefix = f"{work}/stage/{program}"
        stage(program, binary, build_folder, prefix)
        if os.path.isdir(f"{prefix}/share/zsh"):
            # Debian's folder for zsh's functions of packages.
            os.rename(f"{prefix}/share/zsh/site-functions", f"{prefix}/share/zsh/vendor-completions")
        copy(f"{ROOT}/CHANGELOG.md", f"{prefix}/share/doc/{program}/CHANGELOG.md")
        with open(f"{prefix}/share/doc/{program}/sbom.spdx.json", "w", encoding="utf-8") as file:
            file.write(bills[program])
    with open(f"{work}/debian/changelog", "w", encoding="utf-8") as file:
        file.write(changelog())
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/nonexistent",
                   "SOURCE_DATE_EPOCH": str(epoch())}
    log = subprocess.run(["dpkg-buildpackage", "--build=binary", "--unsigned-changes", "--unsigned-buildinfo",
                          "--no-check-builddeps", f"--host-arch={architecture}"],
                         cwd=work, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if log.returncode:
        raise SystemExit(f"{log.stdout}\ndpkg-buildpackage failed")
    for path in sorted(glob.glob(f"{build_folder}/deb/*.deb")):
        shutil.copyfile(path, os.path.join(out, os.path.basename(path)))
