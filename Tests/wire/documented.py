"""Facts that may be unknown, and the place in docs/states.md that says so."""
import re

NUMBERS = ("bytes_sent|bytes_received|rtt_us|retransmits|send_unacknowledged|send_next|receive_next|unread_bytes|unacknowledged_bytes"
           "|send_window_bytes|receive_window_bytes|congestion_window_packets|slow_start_threshold_packets|congestion_control|rto_us"
           "|syn_ack_retransmits|segments_sent|segments_received|socket_address|interface_index|reset_reason|unsent_bytes"
           "|receive_shutdown|user_id|cgroup_id|initial_send_sequence|initial_receive_sequence|process_pid|fin_call")
FOUND = "rows that no event reports have no numbers"
EARLY_END = "an orphan or TIME-WAIT that goes early"
CONNECTING = "before ESTABLISHED there are no numbers of a connection"
OLDER = "opened before the start"
OWNER = "the owner up to a second later"

REASONS = (
    # view, fact, kind, why
    (r"csv|lifecycle", r".*", r"opened before the start.*", OLDER),
    (r"csv", r"local_port", r"closed>syn_sent", "the local port at CLOSED → SYN-SENT"),
    (r"csv", NUMBERS, r"\w+>\w+ derived", FOUND),
    (r"csv", NUMBERS, r"fin_wait_2>closed event, payload after close", FOUND),
    (r"csv", NUMBERS, r"syn_sent>(closed|syn_received) event", CONNECTING),
    (r"csv", r"interface_index", r".*", "the interface before the first segment after the handshake"),
    (r"csv", r"row|state_duration_ns|duration_kind|timestamp_unix_nano", r"\w+>\w+ (derived|of a minisock)", EARLY_END),
    (r"csv", r"reason", r"(fin_wait_2|time_wait)>closed derived, (RST|reused)", EARLY_END),
    (r"csv", r"reset_reason", r"established>closed event, killed", "the kernel gives ss -K none"),
    (r"csv", r"process_pid", r".*", OWNER),
    (r"csv", r"fin_call", r".*", "which call sent the FIN"),
    (r"csv", r"duration_kind", r"syn_received>established", "SYN-RECEIVED after a SYN-ACK that was sent again"),
    (r"lifecycle", r"stay", r"at least, syn_received", "SYN-RECEIVED after a SYN-ACK that was sent again"),
    (r"lifecycle", r"time", r"a bound, SYN", "SYN-RECEIVED after a SYN-ACK that was sent again"),
    (r"lifecycle", r"stay|time|reason of an end", r".*(fin_wait_2|time_wait|RST in|reused|timer)", EARLY_END),
    (r"perfetto|page", r"slice|change", r".*didn't happen", EARLY_END),
    (r"stuck.*", r"age", r".*", "docs/stuck.md, Fields"),
    (r"stuck --read", r"process", r".*", OWNER),
)


def documented(view, fact, kind):
    """The reason, or None."""
    for views, facts, kinds, reason in REASONS:
        if re.fullmatch(views, view) and re.fullmatch(facts, fact) and re.match(kinds, kind):
            return reason
    return None
