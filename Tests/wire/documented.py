# SPDX-License-Identifier: Apache-2.0
"""Facts that may be unknown, and the place in docs/states.md that says so."""
import functools
import pathlib
import re

NUMBERS = ("bytes_sent|bytes_received|rtt_us|retransmits|send_unacknowledged|send_next|receive_next|unread_bytes|unacknowledged_bytes"
           "|send_window_bytes|receive_window_bytes|congestion_window_packets|slow_start_threshold_packets|congestion_control|rto_us"
           "|syn_ack_retransmits|segments_sent|segments_received|socket_address|interface_index|reset_reason|unsent_bytes"
           "|receive_shutdown|user_id|cgroup_id|initial_send_sequence|initial_receive_sequence|process_pid|fin_call")
FOUND = "Rows that no event reports"
BETWEEN = "An end between two readings"
CONNECTING = "Before ESTABLISHED"
OLDER = "Opened before the start"
OWNER = "The owner up to a second later"
TAKEN = "An error that the program took"
LOST_SYN_ACK = "SYN-RECEIVED after a lost SYN-ACK"
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/states.md"

REASONS = (
    # view, fact, kind, and the words with which docs/states.md begins the item
    (r"csv|lifecycle", r".*", r"opened before the start.*", OLDER),
    (r"csv", r"local_port", r"closed>syn_sent", "The local port"),
    (r"csv", NUMBERS, r"\w+>\w+ derived", FOUND),
    (r"csv", NUMBERS, r"fin_wait_2>closed event, payload after close", FOUND),
    (r"csv", NUMBERS, r"syn_sent>(closed|syn_received) event", CONNECTING),
    (r"csv", r"interface_index", r".*", "The interface"),
    (r"csv", r"row|state_duration_ns|duration_kind|timestamp_unix_nano", r"\w+>\w+ (derived|of a minisock)", BETWEEN),
    (r"csv", r"reason", r"(fin_wait_2|time_wait)>closed derived, (RST|reused|timer|no room)", BETWEEN),
    (r"csv", r"reason", r"syn_sent>closed event, RST in SYN-SENT", TAKEN),
    (r"lifecycle", r"reason of an end", r"unknown, RST in SYN-SENT", TAKEN),
    (r"csv", r"reset_reason", r"established>closed event, killed", "The RST of ss -K"),
    (r"csv", r"process_pid", r".*", OWNER),
    (r"csv", r"fin_call", r".*", "Which call sent the FIN"),
    (r"csv", r"duration_kind", r"syn_received>established", LOST_SYN_ACK),
    (r"lifecycle", r"stay", r"at least, syn_received", LOST_SYN_ACK),
    (r"lifecycle", r"time", r"a bound, SYN", LOST_SYN_ACK),
    (r"lifecycle", r"stay|time|reason of an end", r".*(fin_wait_2|time_wait|RST in|reused|timer)", BETWEEN),
    (r"perfetto|page", r"slice|change", r".*didn't happen", BETWEEN),
    (r"stuck --read", r"row", r"missing fin_wait_2 of an orphan.*", BETWEEN),
    (r"stuck.*", r"age", r".*", "An age in stuck"),
    (r"stuck --read", r"process", r".*", OWNER),
)


@functools.cache
def items():
    """What docs/states.md says may be unknown."""
    text = PAGE.read_text(encoding="utf-8")
    return set(re.findall(r"^- \*\*(.+?)\*\*", text[text.index("## Empty cells"):], re.M))


def documented(view, fact, kind):
    """The reason, or None."""
    for views, facts, kinds, reason in REASONS:
        if reason in items() and re.fullmatch(views, view) and re.fullmatch(facts, fact) and re.match(kinds, kind):
            return reason
    return None
