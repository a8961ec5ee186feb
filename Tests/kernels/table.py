# SPDX-License-Identifier: Apache-2.0
"""expected.txt, and the table in docs/COMPATIBILITY.md that a run produces."""

import fetch

EXPECTED = fetch.HERE / "expected.txt"
DOCUMENT = fetch.REPOSITORY / "docs" / "COMPATIBILITY.md"
BEGIN = "<!-- made by: make test-kernels KERNELS_WRITE=1 -->"
END = "<!-- end -->"

# What matters to a user, and the feature that shows it.
ROWS = [
    ("every transition, with role, closer and reason", "lives"),
    ("the same by `--attach classic`", "classic"),
    ("owner of clients, listeners and their children", "owners"),
    ("owner is corrected when another process reads", "program:reader"),
    ("the kernel's own connection ids (cookies)", "cookies"),
    ("sockets opened before the start", "existing-sockets"),
    ("… with their owners", "existing-owners"),
    ("why a reset was sent, in the kernel's words", "reset-reasons"),
    ("TIME-WAIT and orphaned FIN-WAIT-2 to their end", "minisocks"),
    ("entry of older TIME-WAITs, to the millisecond", "field:tw_entry_stamp"),
    ("exact SYN-RECEIVED after a repeated SYN-ACK", "field:total_rto_time"),
    ("`stuck`", "stuck"),
    ("… with owner, descriptor and verdict", "stuck-owners"),
    ("`stuck --watch`", "stuck-watch"),
    ("`lifecycle`", "lifecycle"),
    ("`summary --in-kernel`", "in-kernel"),
]


def expected():
    """Feature to kernel to yes, no or -."""
    lines = EXPECTED.read_text().splitlines()
    header = next(line for line in lines if line.startswith("# FEATURE"))
    names = header.split()[2:]
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}


def check(features, releases, write):
    """Whether the document has what this run has shown; rewrites it if asked to."""
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    fresh = f"{before}{BEGIN}\n{_table(features, releases)}\n{END}{after}"
    if fresh == text:
        return 0
    if write:
        DOCUMENT.write_text(fresh)
        print(f"Wrote {DOCUMENT.relative_to(fetch.REPOSITORY)}")
        return 0
    print("FAILED docs/COMPATIBILITY.md is not what this run has shown: make test-kernels KERNELS_WRITE=1")
    return 1


def _table(features, releases):
    names = list(features)
    lines = ["| | " + " | ".join(_release(releases[name]) for name in names) + " |"]
    lines.append("|---" * (len(names) + 1) + "|")
    for words, feature in ROWS:
        cells = [_cell(features[name], feature) for name in names]
        lines.append(f"| {words} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _release(release):
    """5.10.0-46-cloud-amd64 → 5.10 x86-64; 7.3.4+deb13-cloud-arm64 → 7.3 arm64"""
    architecture = "arm64" if release.endswith("arm64") else "x86-64"
    return f"{'.'.join(release.split('.')[:2])} {architecture}"


def _cell(seen, feature):
    if feature not in seen:
        return ""
    return "–" if seen[feature] else "✓"
