# SPDX-License-Identifier: Apache-2.0
"""The files of a program as they lie below a prefix such as /usr or /usr/local."""
import glob
import os
import shutil

from release import ROOT

# Program: documentation and examples. Pictures stay out; the pages are read as text.
DOCUMENTS = {
    "tcpstate-trace": (["README.md", *(f"docs/{name}.md" for name in (
        "COMPATIBILITY", "README", "SECURITY", "analysis", "columns", "comparison", "costs", "guide", "how-to",
        "lifecycle", "packaging", "recordings", "reference", "report", "states", "stuck", "summary", "tcpstates",
        "top"))], ["examples/leaky-server.py", "examples/tcpstate-trace.service"]),
    "tcpstate-exporter": (["docs/exporter.md", "docs/runbook.md"], [
        "deploy/README.md", "deploy/compose/compose.yaml", "deploy/grafana/tcpstate.json",
        *(f"deploy/kubernetes/{name}.yaml" for name in ("daemonset", "kustomization", "namespace")),
        "deploy/prometheus/scrape.yaml", "deploy/prometheus/tcpstate.rules.yaml",
        "deploy/systemd/tcpstate-exporter.service", "deploy/systemd/tcpstate-exporter.socket"]),
}
COMPLETIONS = {
    "bash": "share/bash-completion/completions",
    "zsh": "share/zsh/site-functions",
    "fish": "share/fish/vendor_completions.d",
}


def copy(source, target, mode=0o644):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(source, target)
    os.chmod(target, mode)


def stage(program, binary, build, prefix):
    """Puts everything except licences below `prefix`.

    build: where the man pages (man) and completions are.
    """
    copy(binary, f"{prefix}/bin/{program}", 0o755)
    for page in sorted(glob.glob(f"{build}/man/{program}*.[1-9]")):
        copy(page, f"{prefix}/share/man/man{page[-1]}/{os.path.basename(page)}")
    for shell, folder in COMPLETIONS.items():
        for path in sorted(glob.glob(f"{build}/completions/{shell}/*") if program == "tcpstate-trace" else []):
            copy(path, f"{prefix}/{folder}/{os.path.basename(path)}")
    documents, examples = DOCUMENTS[program]
    for name in documents:
        copy(os.path.join(ROOT, name), f"{prefix}/share/doc/{program}/{name}")
    for name in examples:
        copy(os.path.join(ROOT, name), f"{prefix}/share/doc/{program}/{name}", 0o755 if name.endswith(".py") else 0o644)
