# SPDX-License-Identifier: Apache-2.0
"""Loads the CSV as DuckDB does by default, and checks types and values."""
import sys

import duckdb

duckdb.execute("CREATE TABLE t AS SELECT * FROM read_csv('%s')" % sys.argv[1])
types = {row[0]: row[1] for row in duckdb.execute("DESCRIBE t").fetchall()}
expected = {
    "timestamp": ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS"),
    "timestamp_unix_nano": ("BIGINT",), "sequence": ("BIGINT",), "connection_id": ("VARCHAR",),
    "role": ("VARCHAR",), "process_pid": ("BIGINT",), "process_name": ("VARCHAR",), "user_id": ("BIGINT",),
    "netns": ("BIGINT",), "local_address": ("VARCHAR",), "local_port": ("BIGINT",), "peer_port": ("BIGINT",),
    "state_old": ("VARCHAR",), "state_duration_ns": ("BIGINT",), "bytes_sent": ("BIGINT",),
    "rtt_us": ("BIGINT",), "retransmits": ("BIGINT",),
}
if sys.argv[2] == "all":
    expected["initial_send_sequence"] = ("BIGINT",)
    expected["congestion_window_packets"] = ("BIGINT",)
    expected["socket_address"] = ("VARCHAR",)
for column, allowed in expected.items():
    assert types[column] in allowed, (column, types[column])


def one(query):
    return duckdb.execute(query).fetchall()[0][0]


assert one("SELECT count(*) FROM t") >= 11
assert one("SELECT max(sequence) - count(*) FROM t") == 0
assert one("SELECT count(*) FROM t WHERE state_old = 'closed' AND state_duration_ns IS NOT NULL") == 0
assert one("SELECT count(*) FROM t WHERE process_name = 'a,b\"c'") >= 5
assert one("SELECT count(*) FROM t WHERE role = 'client' AND state_old = 'established' AND state_duration_ns > 0") == 1
print("ok")
