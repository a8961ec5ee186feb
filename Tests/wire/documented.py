"""Facts that may be unknown, and where docs/states.md says so."""
import re

MINISOCK = "a minisock or request has few fields"
BEGINNING = "not known at the beginning"
REASONS = (
    # view, fact, kind
    (r"csv", r"local_port", r"closed>syn_sent", "the local port at CLOSED → SYN-SENT"),
    (r"csv", r".*", r"\w+>\w+ (derived|of a minisock)", MINISOCK),
    (r"csv", r".*", r"fin_wait_2>closed event, payload after close", MINISOCK),
    (r"csv", r".*", r"syn_sent>closed event|syn_sent>syn_received event", BEGINNING),
    (r"csv", r"interface_index", r".*", BEGINNING),
    (r"csv", r"reset_reason", r"established>closed event, killed", "ss -K gives none"),
    (r"csv", r"process_pid", r".*", "the owner up to a second later"),
    (r"csv|lifecycle", r"duration_kind|stay|time", r".*(syn_received|SYN).*", "a lower bound of SYN-RECEIVED"),
    (r"lifecycle", r".*", r".*(minisock|fin_wait_2|RST in|reused|timer).*", MINISOCK),
    (r"perfetto|page", r"slice|change", r".*didn't happen", MINISOCK),
    (r"stuck.*", r"age|process", r".*", "docs/stuck.md, Fields"),
)


def documented(view, fact, kind):
    """The reason, or None."""
    for views, facts, kinds, reason in REASONS:
        if re.fullmatch(views, view) and re.fullmatch(facts, fact) and re.match(kinds, kind):
            return reason
    return None
