# SPDX-License-Identifier: Apache-2.0
"""Tests of the harness: each failure has to be recognized as what it is."""

import pathlib

import fetch
import guest


def tests(kernel, folder):
    """Functions that return what is wrong with the harness, or None. `kernel` is any x86-64 kernel."""
    return [
        _unreachable_mirror,
        lambda: _bogus_kernel(folder),
        lambda: _steps(kernel, folder, "panic", "echo c >/proc/sysrq-trigger; sleep 60", "ended, before its last line"),
        lambda: _steps(kernel, folder, "status", "status=3", "status 3"),
        lambda: _steps(kernel, folder, "good", "status=0", None),
    ]


def _unreachable_mirror():
    try:
        fetch.look_up("http://127.0.0.1:9")
    except fetch.FetchError as error:
        return None if "Failed to fetch" in str(error) else f"an unreachable mirror was reported as: {error}"
    return "an unreachable mirror was not recognized"


def _bogus_kernel(folder):
    image = pathlib.Path(folder, "bogus")
    image.write_bytes(b"not a kernel" * 1000)
    return _expect("a bogus kernel", guest.boot("amd64", image, image).failure(), "did not come up")


def _steps(kernel, folder, name, steps, wanted):
    root = pathlib.Path(folder, f"self-{name}")
    root.mkdir()
    (root / "steps").write_text(steps + "\n")
    archive = guest.small_initramfs(root, root / "steps")
    return _expect(name, guest.boot("amd64", kernel, archive).failure(), wanted)


def _expect(name, failure, wanted):
    if wanted is None:
        return None if failure is None else f"{name} was seen as a failure: {failure}"
    if failure is None:
        return f"{name} was not seen as a failure"
    return None if wanted in failure else f"{name} was seen as: {failure}"
