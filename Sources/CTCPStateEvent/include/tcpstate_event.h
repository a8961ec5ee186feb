/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The one ABI between the kernel side (bpf/) and the Swift side.
 *
 * The BPF programs include it and Swift imports it as the module
 * CTCPStateEvent; nothing else describes these records. Integers are in the
 * host's byte order and addresses in network byte order. Times are
 * CLOCK_MONOTONIC nanoseconds unless their name says otherwise.
 *
 * No unions and no bit-fields: Swift has to see plain, bitwise-copyable structs.
 */
#ifndef TCPSTATE_EVENT_H
#define TCPSTATE_EVENT_H

#ifdef __bpf__
typedef unsigned char tcpstate_u8;
typedef unsigned short tcpstate_u16;
typedef unsigned int tcpstate_u32;
typedef unsigned long long tcpstate_u64;
typedef int tcpstate_s32;
typedef long long tcpstate_s64;
#else
#include <stdint.h>
typedef uint8_t tcpstate_u8;
typedef uint16_t tcpstate_u16;
typedef uint32_t tcpstate_u32;
typedef uint64_t tcpstate_u64;
typedef int32_t tcpstate_s32;
typedef int64_t tcpstate_s64;
#endif

#define TCPSTATE_EVENT_VERSION 3
#define TCPSTATE_NAME_LENGTH 16 /* TASK_COMM_LEN and TCP_CA_NAME_MAX */

/* tcpstate_event.kind */
#define TCPSTATE_KIND_TRANSITION 1 /* sock:inet_sock_set_state, a tcpstate_event */
#define TCPSTATE_KIND_SOCKET 2 /* an iterator, a tcpstate_snapshot of a full socket */
#define TCPSTATE_KIND_TIMEWAIT 3 /* iter/tcp, a tcpstate_snapshot of a timewait minisock */
#define TCPSTATE_KIND_REQUEST 4 /* iter/tcp, a tcpstate_snapshot of a request minisock */
#define TCPSTATE_KIND_RESET_SENT 5 /* tcp:tcp_send_reset, a tcpstate_event */
#define TCPSTATE_KIND_SYN_ACK 6 /* tcp:tcp_retransmit_synack, a tcpstate_event of the request */
#define TCPSTATE_KIND_OWNER 7 /* accept() or first read, a tcpstate_event: ends, state, owner */
#define TCPSTATE_KIND_MPTCP 8 /* iter/task_file, a tcpstate_snapshot of an MPTCP socket */

/*
 * Added to the initial namespace's id of a process that has none in the
 * reader's PID namespace. No real id has this bit (PID_MAX_LIMIT, 2^22).
 */
#define TCPSTATE_PID_OUTSIDE 0x80000000u

/* tcpstate_event.flags */
#define TCPSTATE_FLAG_OWNED 0x0001 /* a process, the actor, holds the socket's lock */
#define TCPSTATE_FLAG_HAS_SOCKET 0x0002 /* sk_socket is set: a descriptor may refer to it */
#define TCPSTATE_FLAG_DONE 0x0004 /* SOCK_DONE: the peer's FIN has arrived */
#define TCPSTATE_FLAG_DEAD 0x0008 /* SOCK_DEAD: orphaned, no process can reach it any more */
#define TCPSTATE_FLAG_SEND_SHUTDOWN 0x0010 /* SEND_SHUTDOWN in sk_shutdown */
#define TCPSTATE_FLAG_HAS_RTO_TIME 0x0020 /* total_rto_time_ms is filled (Linux 6.7 and newer) */
#define TCPSTATE_FLAG_HAS_ENTRY_STAMP 0x0040 /* tcpstate_snapshot.entry_stamp_ms is filled */
/* The actor is the process that reads the iterators; believe it only if it owns the socket. */
#define TCPSTATE_FLAG_BY_TRACER 0x0080
#define TCPSTATE_FLAG_RESET_SENT 0x0100 /* set by user space: we sent a RST right afterwards */
#define TCPSTATE_FLAG_RECEIVE_SHUTDOWN 0x0200 /* RCV_SHUTDOWN in sk_shutdown */
#define TCPSTATE_FLAG_LINGER \
	0x0400 /* SOCK_LINGER: close() may wait for the FIN's acknowledgement */
/* On the transition to CLOSED only, why nothing was sent: */
#define TCPSTATE_FLAG_NO_ROUTE 0x2000 /* connect() got no route for the port that it had chosen */
#define TCPSTATE_FLAG_REPAIR 0x4000 /* TCP_REPAIR: taken elsewhere by the process */
#define TCPSTATE_FLAG_NO_PORT 0x8000 /* connect() got no local port, or its addresses were in use */

/* tcpstate_snapshot.details */
#define TCPSTATE_DETAIL_KEEPALIVE 0x0001 /* SO_KEEPALIVE is set */
#define TCPSTATE_DETAIL_AWAITED 0x0002 /* a task is in the socket's wait queue */
#define TCPSTATE_DETAIL_RELEASED \
	0x0004 /* the last descriptor is closed: the file has no user left */
#define TCPSTATE_DETAIL_BOUND 0x0008 /* connect() passes over its port, which bind() has taken */
#define TCPSTATE_DETAIL_ACKED 0x0010 /* request: the last ACK of the handshake has come */
#define TCPSTATE_DETAIL_TIMESTAMPS 0x0020 /* timewait: its TCP timestamps allow reuse of the port */

/* tcpstate_snapshot.pending_timer: icsk_pending, include/net/inet_connection_sock.h */
#define TCPSTATE_TIMER_PROBE 3 /* ICSK_TIME_PROBE0: probes of a window that the peer has shut */

/* tcpstate_event.owner_kind: how the owner is known; 0 without an owner. */
#define TCPSTATE_OWNER_HOLDER 1 /* it accepted or closed the socket, or has a descriptor of it */
#define TCPSTATE_OWNER_READER 2 /* it read from the socket */
#define TCPSTATE_OWNER_OPENER 3 /* it called connect() or listen() */
#define TCPSTATE_OWNER_INHERITED 4 /* it is the listener's; nobody was seen with the socket yet */

/*
 * tcpstate_event.reset_reason: why the kernel sent a RST, which is enum
 * sk_rst_reason (include/net/rstreason.h, Linux 6.10 and newer) by name. Its
 * numbers change between kernels, these don't. 0: not specified, not known, or
 * none of these.
 */
#define TCPSTATE_RESET_NO_SOCKET 1
#define TCPSTATE_RESET_TCP_INVALID_ACK_SEQUENCE 2
#define TCPSTATE_RESET_TCP_RFC7323_PAWS 3
#define TCPSTATE_RESET_TCP_TOO_OLD_ACK 4
#define TCPSTATE_RESET_TCP_ACK_UNSENT_DATA 5
#define TCPSTATE_RESET_TCP_FLAGS 6
#define TCPSTATE_RESET_TCP_OLD_ACK 7
#define TCPSTATE_RESET_TCP_ABORT_ON_DATA 8
#define TCPSTATE_RESET_TCP_TIMEWAIT_SOCKET 9
#define TCPSTATE_RESET_INVALID_SYN 10
#define TCPSTATE_RESET_TCP_ABORT_ON_CLOSE 11
#define TCPSTATE_RESET_TCP_ABORT_ON_LINGER 12
#define TCPSTATE_RESET_TCP_ABORT_ON_MEMORY 13
#define TCPSTATE_RESET_TCP_STATE 14
#define TCPSTATE_RESET_TCP_KEEPALIVE_TIMEOUT 15
#define TCPSTATE_RESET_TCP_DISCONNECT_WITH_DATA 16
#define TCPSTATE_RESET_MPTCP_RST_EUNSPEC 17
#define TCPSTATE_RESET_MPTCP_RST_EMPTCP 18
#define TCPSTATE_RESET_MPTCP_RST_ERESOURCE 19
#define TCPSTATE_RESET_MPTCP_RST_EPROHIBIT 20
#define TCPSTATE_RESET_MPTCP_RST_EWQ2BIG 21
#define TCPSTATE_RESET_MPTCP_RST_EBADPERF 22
#define TCPSTATE_RESET_MPTCP_RST_EMIDDLEBOX 23
#define TCPSTATE_RESET_ERROR 24

/*
 * One state transition, as the socket stood when sock:inet_sock_set_state
 * fired (include/trace/events/sock.h). The kernel counts the phantom bytes of
 * SYN and FIN in some of the counters; they are passed on raw.
 */
struct tcpstate_event {
	tcpstate_u8 version; /* TCPSTATE_EVENT_VERSION */
	tcpstate_u8 kind;
	tcpstate_u8 state_old; /* kernel's number, include/net/tcp_states.h */
	tcpstate_u8 state_new;
	tcpstate_u16 flags;
	tcpstate_u16 error; /* sk->sk_err, an errno */
	tcpstate_u64 timestamp_ns;
	tcpstate_u64 cookie; /* sock_gen_cookie(), 0 where the kernel gives none */
	tcpstate_u64 socket_address; /* struct sock *, reused by the kernel */
	tcpstate_u64 cgroup_id; /* cgroup v2 id, 0 unknown */
	tcpstate_u8 local_address[16]; /* IPv4 is v4-mapped (::ffff:a.b.c.d) */
	tcpstate_u8 peer_address[16];
	tcpstate_u16 local_port; /* host order; 0 before the port is bound */
	tcpstate_u16 peer_port; /* host order */
	tcpstate_u8 timeouts; /* icsk_retransmits: unanswered timeouts in a row */
	tcpstate_u8 backoff; /* icsk_backoff: how often the RTO is doubled */
	tcpstate_u8 reset_reason; /* TCPSTATE_RESET_*: KIND_RESET_SENT, or FLAG_RESET_SENT is set */
	tcpstate_u8 owner_kind; /* TCPSTATE_OWNER_* */
	tcpstate_u32 netns; /* inode of the network namespace */
	tcpstate_u32 interface_index; /* bound device, else the one last received on; 0 none */
	tcpstate_u32 user_id; /* sk_uid */
	tcpstate_u32 lost_before; /* events dropped since load until now, modulo 2^32 */
	tcpstate_u32 owner_pid; /* thread group id, see tcpstate_config.pid_namespace; 0 unknown */
	tcpstate_u32 actor_pid; /* as owner_pid; 0 when the network did it */
	tcpstate_u8 owner_name[TCPSTATE_NAME_LENGTH]; /* NUL padded, any bytes */
	tcpstate_u8 actor_name[TCPSTATE_NAME_LENGTH];
	tcpstate_u64 bytes_sent; /* payload, retransmissions included */
	tcpstate_u64 bytes_retransmitted;
	tcpstate_u64 bytes_received; /* counts the FIN */
	tcpstate_u64 bytes_acknowledged; /* counts an active opener's SYN, and the FIN */
	tcpstate_u32 send_unacknowledged; /* SND.UNA */
	tcpstate_u32 send_next; /* SND.NXT */
	tcpstate_u32 write_sequence; /* one past the last byte that was written */
	tcpstate_u32 receive_next; /* RCV.NXT */
	tcpstate_u32 copied_sequence; /* one past the last byte the application read */
	tcpstate_u32 send_window; /* bytes */
	tcpstate_u32 receive_window; /* bytes */
	tcpstate_u32 congestion_window; /* packets */
	tcpstate_u32 slow_start_threshold; /* packets; 0x7fffffff not yet set */
	tcpstate_u32 smoothed_rtt_us8; /* microseconds times 8, 0 no sample */
	tcpstate_u32 rto_jiffies;
	tcpstate_u32 retransmits; /* total_retrans: segments */
	tcpstate_u32 segments_sent;
	tcpstate_u32 segments_received;
	tcpstate_u32 total_rto_time_ms; /* in timeouts; SYN_ACK: since the first SYN-ACK */
	tcpstate_s32 linger2; /* FIN-WAIT-2 timeout: < 0 none, 0 system's, jiffies */
	tcpstate_u8 congestion_control[TCPSTATE_NAME_LENGTH]; /* NUL padded */
};

/* Offsets of the members that Swift sees as tuples, or reads before it trusts the record. */
enum {
	TCPSTATE_OFFSET_COOKIE = __builtin_offsetof(struct tcpstate_event, cookie),
	TCPSTATE_OFFSET_SOCKET_ADDRESS = __builtin_offsetof(struct tcpstate_event, socket_address),
	TCPSTATE_OFFSET_LOCAL_ADDRESS = __builtin_offsetof(struct tcpstate_event, local_address),
	TCPSTATE_OFFSET_PEER_ADDRESS = __builtin_offsetof(struct tcpstate_event, peer_address),
	TCPSTATE_OFFSET_OWNER_NAME = __builtin_offsetof(struct tcpstate_event, owner_name),
	TCPSTATE_OFFSET_ACTOR_NAME = __builtin_offsetof(struct tcpstate_event, actor_name),
	TCPSTATE_OFFSET_CONGESTION_CONTROL =
		__builtin_offsetof(struct tcpstate_event, congestion_control),
};

/*
 * One socket as an iterator found it. event.timestamp_ns is when it was read;
 * event.state_old and event.state_new are both the state it is in.
 */
struct tcpstate_snapshot {
	struct tcpstate_event event;
	tcpstate_u64 jiffies; /* jiffies64 at event.timestamp_ns */
	tcpstate_u64 timer_expires; /* jiffies: timewait, request or retransmission timer; 0 none */
	tcpstate_u32 fd; /* TCPSTATE_NO_FD where the iterator doesn't walk descriptors */
	tcpstate_u32 last_acked_jiffies; /* tp->rcv_tstamp: the last segment that carried an ACK */
	tcpstate_u32 accept_queue; /* listener: connections waiting for accept() */
	tcpstate_u32 accept_queue_limit; /* listener: its backlog */
	tcpstate_u32 request_queue; /* listener: half-open requests */
	tcpstate_u32 request_age_us; /* request: since the first SYN-ACK; 0 unknown */
	tcpstate_u32 entry_stamp_ms; /* timewait: CLOCK_MONOTONIC ms at its entry, modulo 2^32 */
	tcpstate_u32 syn_ack_timeouts; /* request: SYN-ACK timeouts so far */
	tcpstate_u64 socket_inode; /* as /proc/PID/fd names it; 0 none, or not looked up */
	/* icsk_delack_timer, which keeps the time for which it was last armed; 0 never */
	tcpstate_u32 ack_timer_jiffies;
	/* CLOCK_MONOTONIC ms modulo 2^32: tp->delivered_mstamp, when the peer last acknowledged something new */
	tcpstate_u32 delivered_ms;
	tcpstate_u32
		last_data_received_jiffies; /* icsk_ack.lrcvtime; at first the handshake's end */
	tcpstate_u32 last_data_sent_jiffies; /* tp->lsndtime; at first the handshake's end */
	tcpstate_u32
		first_timeout_ms; /* CLOCK_MONOTONIC ms modulo 2^32: tp->rto_stamp (Linux 6.7); 0 none */
	tcpstate_u32
		probing_since_jiffies; /* icsk_probes_tstamp (Linux 5.11): first probe of a shut window; 0 none */
	tcpstate_u32
		least_rtt_jiffies; /* tp->rtt_min: when the smallest round trip was measured; 0 none */
	tcpstate_u16 details; /* TCPSTATE_DETAIL_* */
	tcpstate_u8
		probes; /* icsk_probes_out: keepalive or window probes that nothing has answered */
	tcpstate_u8 pending_timer; /* icsk_pending: what timer_expires is for */
	tcpstate_u8 defer_accept; /* listener: TCP_DEFER_ACCEPT, in SYN-ACK timeouts */
	tcpstate_u8 unused[3]; /* 0 */
	/* SYN-SENT: CLOCK_MONOTONIC ms modulo 2^32, tp->retrans_stamp: when the first SYN was sent; 0 unknown */
	tcpstate_u32 syn_sent_ms;
	tcpstate_u64 mptcp_socket; /* struct mptcp_sock * above this subflow; 0 none */
};

#define TCPSTATE_NO_FD 0xffffffffu

/*
 * The .bss of the kernel side, which user space maps too, and there accesses
 * only by acquire loads and release stores.
 */
struct tcpstate_shared {
	/* Written by the kernel side. */
	tcpstate_u64 lost; /* events that the ring buffer had no room for */
	tcpstate_u64 nested; /* runs of transition_nested that recorded a transition */
	/* Set by the kernel side when it wakes user space, which clears it once it has read. */
	tcpstate_u64 wake_sent;
	/* Written by user space before it reads an iterator. */
	tcpstate_u32 snapshot_states; /* one bit for each state to report */
	tcpstate_u32 snapshot_minisocks_only; /* nonzero: iter/tcp skips full sockets */
	/* Written by the kernel side when an iterator ends. */
	tcpstate_u64 jiffies; /* jiffies64 ... */
	tcpstate_u64 jiffies_time_ns; /* ... at this time */
	/* Written by user space: since when every transition is aggregated. */
	tcpstate_u64 attached_ns;
	/* The kernel side's own. */
	tcpstate_u64 untracked; /* nonzero: not every socket could be remembered */
	tcpstate_u64 reader_pid; /* the process that reads snapshot_files */
	/* Written by user space: nonzero: snapshot_files reports only the holders of servers' sockets. */
	tcpstate_u64 snapshot_holders_only;
	/* Changes whenever an MPTCP socket changes its state, which makes no record. */
	tcpstate_u64 mptcp_changes;
};

/* Offsets of the members that user space accesses: atomically, so by address. */
enum {
	TCPSTATE_SHARED_LOST = __builtin_offsetof(struct tcpstate_shared, lost),
	TCPSTATE_SHARED_NESTED = __builtin_offsetof(struct tcpstate_shared, nested),
	TCPSTATE_SHARED_WAKE_SENT = __builtin_offsetof(struct tcpstate_shared, wake_sent),
	TCPSTATE_SHARED_SNAPSHOT_STATES =
		__builtin_offsetof(struct tcpstate_shared, snapshot_states),
	TCPSTATE_SHARED_SNAPSHOT_MINISOCKS_ONLY =
		__builtin_offsetof(struct tcpstate_shared, snapshot_minisocks_only),
	TCPSTATE_SHARED_JIFFIES = __builtin_offsetof(struct tcpstate_shared, jiffies),
	TCPSTATE_SHARED_JIFFIES_TIME_NS =
		__builtin_offsetof(struct tcpstate_shared, jiffies_time_ns),
	TCPSTATE_SHARED_ATTACHED_NS = __builtin_offsetof(struct tcpstate_shared, attached_ns),
	TCPSTATE_SHARED_SNAPSHOT_HOLDERS_ONLY =
		__builtin_offsetof(struct tcpstate_shared, snapshot_holders_only),
	TCPSTATE_SHARED_MPTCP_CHANGES = __builtin_offsetof(struct tcpstate_shared, mptcp_changes),
};

#define TCPSTATE_PORT_LOCAL 1 /* the local port has to be in local_ports */
#define TCPSTATE_PORT_EITHER 2 /* the local port or the peer's has to be in local_ports */

/*
 * The .rodata of the kernel side, set before load. A filter that is off is 0;
 * the verifier then removes its code.
 */
struct tcpstate_config {
	tcpstate_u64 wake_bytes; /* pending bytes from which on the consumer is woken */
	tcpstate_u64 filter_cgroup; /* cgroup v2 id; descendants match too */
	tcpstate_u32 filter_cgroup_level; /* its depth below the root, or TCPSTATE_ANY_LEVEL */
	tcpstate_u32 filter_family; /* 4 or 6, as on the wire */
	tcpstate_u32 filter_netns; /* inode */
	tcpstate_u32 filter_local_port; /* TCPSTATE_PORT_…, or 0 */
	tcpstate_u32 filter_peer_port;
	tcpstate_u32 filter_local_network;
	tcpstate_u32 filter_peer_network;
	tcpstate_u32 filters; /* nonzero: one of these is set */
	tcpstate_u32 plain; /* nonzero, for kernels before 5.12: no cookies, no local storage */
	tcpstate_u32 pid_namespace; /* inode: process ids are its; 0 the initial namespace's */
};

#define TCPSTATE_ANY_LEVEL 0xffffffffu /* the depth isn't known from here */

/*
 * Log-linear buckets: one for each value below 64, then 32 for each power of
 * two, so that the middle of a bucket is within 1.6 % of every value in it.
 * Each spans four buckets of Swift's DurationHistogram.
 */
enum {
	TCPSTATE_STAY_BUCKETS = 64 + 58 * 32,
};

/* The stays in one state on one CPU, as the kernel side aggregates them. */
struct tcpstate_stays {
	tcpstate_u64 count;
	tcpstate_u64 at_least; /* of these, known only as a lower bound */
	tcpstate_u64 total_ns;
	tcpstate_u64 longest_ns;
	tcpstate_u64 longest_at_least; /* nonzero: longest_ns is a lower bound */
	tcpstate_u64 buckets[TCPSTATE_STAY_BUCKETS];
};

#define TCPSTATE_STATES 13 /* 0 to TCP_NEW_SYN_RECV, include/net/tcp_states.h */

/* What one CPU has seen while the kernel side aggregates stays. */
struct tcpstate_tally {
	tcpstate_u64 transitions;
	tcpstate_u64 unmatched; /* the old state wasn't the remembered one */
	tcpstate_u64 untracked; /* there was no room to remember when a state was entered */
	tcpstate_u64 minisocks; /* FIN-WAIT-2 continued in a minisock, unseen: counted as a bound */
	tcpstate_u64 socket; /* the kernel side's own */
	tcpstate_s64 open[16]; /* by state: sockets that entered it minus those that left it */
};

/* Key of the maps local_networks and peer_networks; their value is 4 or 6. */
struct tcpstate_network_key {
	tcpstate_u32 prefix_length; /* of the v4-mapped form: 96 more for IPv4 */
	tcpstate_u8 address[16];
};

/*
 * Both sides are compiled by different compilers, so each checks what it sees:
 * no padding, and the members where the fixtures and the readers expect them.
 */
#define TCPSTATE_AT(type, member, offset) \
	_Static_assert(__builtin_offsetof(struct type, member) == (offset), #type "." #member)

_Static_assert(sizeof(struct tcpstate_event) == 248, "256 with the ring buffer's 8-byte header");
TCPSTATE_AT(tcpstate_event, version, 0);
TCPSTATE_AT(tcpstate_event, kind, 1);
TCPSTATE_AT(tcpstate_event, flags, 4);
TCPSTATE_AT(tcpstate_event, timestamp_ns, 8);
TCPSTATE_AT(tcpstate_event, cookie, 16);
TCPSTATE_AT(tcpstate_event, local_address, 40);
TCPSTATE_AT(tcpstate_event, local_port, 72);
TCPSTATE_AT(tcpstate_event, reset_reason, 78);
TCPSTATE_AT(tcpstate_event, owner_kind, 79);
TCPSTATE_AT(tcpstate_event, netns, 80);
TCPSTATE_AT(tcpstate_event, owner_name, 104);
TCPSTATE_AT(tcpstate_event, bytes_sent, 136);
TCPSTATE_AT(tcpstate_event, send_unacknowledged, 168);
TCPSTATE_AT(tcpstate_event, congestion_control, 232);

_Static_assert(sizeof(struct tcpstate_snapshot) == 352, "no padding");
TCPSTATE_AT(tcpstate_snapshot, event, 0);
TCPSTATE_AT(tcpstate_snapshot, jiffies, 248);
TCPSTATE_AT(tcpstate_snapshot, fd, 264);
TCPSTATE_AT(tcpstate_snapshot, socket_inode, 296);
TCPSTATE_AT(tcpstate_snapshot, ack_timer_jiffies, 304);
TCPSTATE_AT(tcpstate_snapshot, first_timeout_ms, 320);
TCPSTATE_AT(tcpstate_snapshot, details, 332);
TCPSTATE_AT(tcpstate_snapshot, defer_accept, 336);
TCPSTATE_AT(tcpstate_snapshot, syn_sent_ms, 340);
TCPSTATE_AT(tcpstate_snapshot, mptcp_socket, 344);

_Static_assert(sizeof(struct tcpstate_shared) == 88, "no padding");
TCPSTATE_AT(tcpstate_shared, wake_sent, 16);
TCPSTATE_AT(tcpstate_shared, snapshot_states, 24);
TCPSTATE_AT(tcpstate_shared, jiffies, 32);
TCPSTATE_AT(tcpstate_shared, attached_ns, 48);
TCPSTATE_AT(tcpstate_shared, reader_pid, 64);
TCPSTATE_AT(tcpstate_shared, snapshot_holders_only, 72);

_Static_assert(sizeof(struct tcpstate_config) == 56, "no padding");
TCPSTATE_AT(tcpstate_config, filter_cgroup, 8);
TCPSTATE_AT(tcpstate_config, filter_cgroup_level, 16);
TCPSTATE_AT(tcpstate_config, filters, 44);
TCPSTATE_AT(tcpstate_config, plain, 48);
TCPSTATE_AT(tcpstate_config, pid_namespace, 52);

/* A value of a per-CPU map is rounded up to 8 bytes; these have to be whole multiples. */
_Static_assert(sizeof(struct tcpstate_stays) == 40 + 8 * TCPSTATE_STAY_BUCKETS, "no padding");
TCPSTATE_AT(tcpstate_stays, longest_at_least, 32);
TCPSTATE_AT(tcpstate_stays, buckets, 40);

_Static_assert(sizeof(struct tcpstate_tally) == 168, "no padding");
TCPSTATE_AT(tcpstate_tally, socket, 32);
TCPSTATE_AT(tcpstate_tally, open, 40);
_Static_assert(TCPSTATE_STATES <= 16, "tcpstate_tally.open has room for each state");

_Static_assert(sizeof(struct tcpstate_network_key) == 20, "as struct bpf_lpm_trie_key wants it");
TCPSTATE_AT(tcpstate_network_key, address, 4);

#undef TCPSTATE_AT

#endif
