# SPDX-License-Identifier: Apache-2.0
"""How often the loaded BPF programs ran, and for how long, from the kernel's own statistics."""

import contextlib
import ctypes
import os
import platform

# enum bpf_cmd and the layouts, include/uapi/linux/bpf.h
PROG_GET_NEXT_ID, PROG_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD, ENABLE_STATS = 11, 13, 15, 32
SYSCALL = {"x86_64": 321, "aarch64": 280}.get(platform.machine())
libc = ctypes.CDLL(None, use_errno=True)


class Info(ctypes.Structure):
    """struct bpf_prog_info as far as it is needed."""
    _fields_ = [
        ("type", ctypes.c_uint32), ("id", ctypes.c_uint32), ("tag", ctypes.c_uint8 * 8),
        ("jited_prog_len", ctypes.c_uint32), ("xlated_prog_len", ctypes.c_uint32),
        ("jited_prog_insns", ctypes.c_uint64), ("xlated_prog_insns", ctypes.c_uint64),
        ("load_time", ctypes.c_uint64), ("created_by_uid", ctypes.c_uint32),
        ("nr_map_ids", ctypes.c_uint32), ("map_ids", ctypes.c_uint64), ("name", ctypes.c_char * 16),
        ("ifindex", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("netns_dev", ctypes.c_uint64),
        ("netns_ino", ctypes.c_uint64), ("nr_jited_ksyms", ctypes.c_uint32),
        ("nr_jited_func_lens", ctypes.c_uint32), ("jited_ksyms", ctypes.c_uint64),
        ("jited_func_lens", ctypes.c_uint64), ("btf_id", ctypes.c_uint32),
        ("func_info_rec_size", ctypes.c_uint32), ("func_info", ctypes.c_uint64),
        ("nr_func_info", ctypes.c_uint32), ("nr_line_info", ctypes.c_uint32),
        ("line_info", ctypes.c_uint64), ("jited_line_info", ctypes.c_uint64),
        ("nr_jited_line_info", ctypes.c_uint32), ("line_info_rec_size", ctypes.c_uint32),
        ("jited_line_info_rec_size", ctypes.c_uint32), ("nr_prog_tags", ctypes.c_uint32),
        ("prog_tags", ctypes.c_uint64), ("run_time_ns", ctypes.c_uint64),
        ("run_cnt", ctypes.c_uint64), ("recursion_misses", ctypes.c_uint64),
        ("verified_insns", ctypes.c_uint32), ("attach_btf_obj_id", ctypes.c_uint32),
        ("attach_btf_id", ctypes.c_uint32),
    ]


def _bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes, 128)
    result = libc.syscall(SYSCALL, command, buffer, len(attributes))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"bpf({command}): {os.strerror(code)}")
    return result, buffer.raw


def _u32(*numbers):
    return b"".join(n.to_bytes(4, "little") for n in numbers)


@contextlib.contextmanager
def enabled():
    """Statistics are kept inside this context; they cost two clock readings per run."""
    fd, _ = _bpf(ENABLE_STATS, _u32(0))
    try:
        yield
    finally:
        os.close(fd)


def info(program):
    """What the kernel says of the program with this id. OSError if it is gone."""
    fd, _ = _bpf(PROG_GET_FD_BY_ID, _u32(program))
    try:
        found = Info()
        address = ctypes.addressof(found).to_bytes(8, "little")
        _bpf(OBJ_GET_INFO_BY_FD, _u32(fd, ctypes.sizeof(found)) + address)
        return found
    finally:
        os.close(fd)


def held_by(process):
    """The programs of which a process holds descriptors, by name."""
    found = {}
    for file in os.scandir(f"/proc/{process}/fdinfo"):
        with contextlib.suppress(OSError), open(file.path, encoding="ascii") as lines:
            facts = dict(line.split(":", 1) for line in lines if ":" in line)
            if "prog_id" in facts and "prog_type" in facts and "link_id" not in facts:
                program = info(int(facts["prog_id"]))
                found[program.name.decode(errors="replace")] = program
    return found


def programs():
    """{id: (name, runs, nanoseconds, skipped)} of all loaded programs."""
    found, last = {}, 0
    while True:
        try:
            _, raw = _bpf(PROG_GET_NEXT_ID, _u32(last, 0))
        except OSError:
            return found
        last = int.from_bytes(raw[4:8], "little")
        with contextlib.suppress(OSError):
            program = info(last)
            found[last] = (program.name.decode(errors="replace"), program.run_cnt,
                           program.run_time_ns, program.recursion_misses)
