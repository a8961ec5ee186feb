# SPDX-License-Identifier: Apache-2.0
"""Loads the CSV as pandas does by default, and checks types and values."""
import sys

import pandas

frame = pandas.read_csv(sys.argv[1], parse_dates=["timestamp"])
integers = ["timestamp_unix_nano", "sequence", "process_pid", "user_id", "netns", "local_port"]
for column in integers:
    assert pandas.api.types.is_numeric_dtype(frame[column]), (column, frame[column].dtype)
for column in ["timestamp_unix_nano", "sequence"]:
    assert frame[column].dtype == "int64", (column, frame[column].dtype)
assert isinstance(frame["timestamp"].dtype, pandas.DatetimeTZDtype), frame["timestamp"].dtype
for column in ["state_duration_ns", "bytes_sent", "bytes_received", "rtt_us", "retransmits", "actor_pid", "peer_port"]:
    assert pandas.api.types.is_numeric_dtype(frame[column]), (column, frame[column].dtype)
# Nanoseconds are kept, and both columns have the same time.
assert (frame["timestamp"].astype("int64") == frame["timestamp_unix_nano"]).all()
assert list(frame["sequence"]) == list(range(1, len(frame) + 1))
assert len(frame) >= 11, len(frame)
# Unknown is missing, not 0: how long it was closed can't be known.
opened = frame[frame["state_old"] == "closed"]
assert opened["state_duration_ns"].isna().all()
assert 'a,b"c' in set(frame["process_name"].dropna())
stays = frame[(frame["role"] == "client") & (frame["state_old"] == "established")]["state_duration_ns"]
assert (stays > 0).all() and len(stays) == 1
if sys.argv[2] == "all":
    assert pandas.api.types.is_numeric_dtype(frame["initial_send_sequence"])
    assert frame.shape[1] > 40
print("ok")
