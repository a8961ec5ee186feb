// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The kernel side of tcpstate-trace: every state transition of every TCP
 * socket into a ring buffer. No state is kept here but who reads from a
 * socket; durations, and who owns what, are the consumer's work.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#include "maps.h"
#include "filter.h"

#define RECORD(name) name##_direct
#define READ(pointer, field) ((pointer)->field)
#define READ_BYTES(to, pointer, field) __builtin_memcpy(to, &(pointer)->field, 16)
#include "record.h"
#undef RECORD
#undef READ
#undef READ_BYTES

#define RECORD(name) name##_probed
#define READ(pointer, field) BPF_CORE_READ(pointer, field)
#define READ_BYTES(to, pointer, field) bpf_core_read(to, 16, &(pointer)->field)
#include "record.h"
#undef RECORD
#undef READ
#undef READ_BYTES

#include "minisock.h"
#include "reset.h"

/* Who is running: the process's name, not the thread's. */
static __always_inline void current_process(__u32 *pid, __u8 *name)
{
	*pid = bpf_get_current_pid_tgid() >> 32;
	if (config.plain) {
		struct task_struct *task = (void *)bpf_get_current_task();
		struct task_struct *leader = BPF_CORE_READ(task, group_leader);

		bpf_core_read(name, TCPSTATE_NAME_LENGTH, &leader->comm);
	} else {
		struct task_struct *task = bpf_get_current_task_btf();

		__builtin_memcpy(name, task->group_leader->comm, TCPSTATE_NAME_LENGTH);
	}
}

/*
 * An atomic increment as every kernel takes it: a newer compiler makes one that
 * returns the old value, even if nobody asks for it, and before 5.12 the
 * verifier refuses that.
 */
static __always_inline void count(__u64 *counter)
{
	asm volatile("lock *(u64 *)(%0 + 0) += %1" : : "r"(counter), "r"(1ULL) : "memory");
}

#define MAX_NOTES 8

/* What the programs of one CPU tell each other. */
struct cpu_state {
	__u32 submitted; /* records, modulo 2^32 */
	__u32 wake_due; /* the consumer has much to read and wasn't woken yet */
	__u32 count; /* of notes, see transition_nested */
	__u32 unused;
	struct note {
		__u64 sk;
		__u64 states;
	} notes[MAX_NOTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu_state);
} cpus SEC(".maps");

static __always_inline struct cpu_state *this_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&cpus, &zero);
}

static __always_inline struct tcpstate_event *reserve(void)
{
	struct tcpstate_event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e)
		count(&shared.lost);
	return e;
}

/*
 * Waking the consumer costs the traced process more than all the rest, so it
 * is left to the consumer's timer until there is much to read. Even looking is
 * done but now and then, and the consumer is woken once until it has read.
 *
 * The wake-up is an interrupt on this CPU, at once. Where bottom halves are
 * enabled, pending packets would be handled at its end, still inside this
 * program, so a process leaves it to the next transition in a softirq.
 */
#define LOOK_EVERY 32

static __always_inline void submit(struct tcpstate_event *e, struct cpu_state *cpu, bool softirq)
{
	__u64 flags = BPF_RB_NO_WAKEUP;

	e->lost_before = shared.lost;
	if (cpu && (++cpu->submitted & (LOOK_EVERY - 1)) == 0 && !shared.wake_sent &&
	    bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= config.wake_bytes)
		cpu->wake_due = 1;
	if (cpu && softirq && cpu->wake_due) {
		cpu->wake_due = 0;
		shared.wake_sent = 1;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	bpf_ringbuf_submit(e, flags);
}

/*
 * The owner opens the socket (connect, listen) or ends its sending (close,
 * shutdown): in these the process that holds the lock is the one that holds
 * the descriptor. Not so when ss -K or a disconnect ends a connection.
 */
static __always_inline bool acts_as_owner(int state_old, int state_new)
{
	return state_old == TCP_CLOSE ||
	       ((state_old == TCP_ESTABLISHED || state_old == 8 /* CLOSE_WAIT */) &&
		(state_new == TCP_FIN_WAIT1 || state_new == 9 /* LAST_ACK */));
}

/*
 * Who ends a connection by looking at it doesn't own it: snapshot_files holds
 * each descriptor's file while it looks at the socket, and if its process
 * closes it just then, the last reference and so the close() itself fall to the
 * reader. Only user space knows whether the socket is the reader's own.
 */
static __always_inline bool owner_acts(struct tcpstate_event *e)
{
	if (!(e->flags & TCPSTATE_FLAG_OWNED))
		return false;
	if (e->state_old != TCP_CLOSE && e->actor_pid == shared.reader_pid) {
		e->flags |= TCPSTATE_FLAG_BY_TRACER;
		return false;
	}
	return acts_as_owner(e->state_old, e->state_new);
}

/* Where nothing is kept beside the socket, user space keeps what this tells. */
static __always_inline void own_by_act(struct tcpstate_event *e, bool acts)
{
	if (acts) {
		e->owner_pid = e->actor_pid;
		__builtin_memcpy(e->owner_name, e->actor_name, sizeof(e->owner_name));
	} else {
		e->owner_pid = 0;
		__builtin_memset(e->owner_name, 0, sizeof(e->owner_name));
	}
}

static __always_inline void own_by_storage(struct tcpstate_event *e, const struct sock *sk,
					   bool acts)
{
	bool keeps = acts && e->state_new == TCP_LISTEN && shares_port(sk);
	struct owner *owner = bpf_sk_storage_get(&owners, (void *)sk, 0,
						 keeps ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);

	if (!owner) {
		own_by_act(e, acts);
		return;
	}
	if (acts && owner->pid != e->actor_pid) {
		owner->pid = e->actor_pid;
		__builtin_memcpy(owner->name, e->actor_name, sizeof(owner->name));
	}
	e->owner_pid = owner->pid;
	__builtin_memcpy(e->owner_name, owner->name, sizeof(e->owner_name));
}

/*
 * probing: by probe reads, which run slower but are verified faster, so that
 * they suit a program that hardly ever gets here.
 */
static __always_inline void record_transition(struct cpu_state *cpu, const struct sock *sk,
					      int state_old, int state_new, bool probing)
{
	struct tcpstate_event *e;
	struct identity id;
	struct tcp_sock *tp;
	bool owned;

	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (!tp)
		return; /* SCTP, and the MPTCP connection above its subflows */
	if (probing)
		identify_probed(&id, tp);
	else
		identify_direct(&id, tp);
	if (!wanted(&id, id.local_port == 0 || state_old == TCP_SYN_SENT))
		return;
	if (config.filter_cgroup && !in_cgroup(sk->sk_cgrp_data.cgroup))
		return;

	e = reserve();
	if (!e)
		return;
	e->timestamp_ns = bpf_ktime_get_ns();
	if (probing)
		fill_probed(e, &id, tp);
	else
		fill_direct(e, &id, tp);
	e->kind = TCPSTATE_KIND_TRANSITION;
	e->state_old = state_old;
	e->state_new = state_new;
	e->cookie = cookie_of(&sk->__sk_common);

	owned = sk->sk_lock.owned;
	if (owned) {
		e->flags |= TCPSTATE_FLAG_OWNED;
		current_process(&e->actor_pid, e->actor_name);
	} else {
		e->actor_pid = 0;
		__builtin_memset(e->actor_name, 0, sizeof(e->actor_name));
	}
	if (config.plain)
		own_by_act(e, owner_acts(e));
	else
		own_by_storage(e, sk, owner_acts(e));
	submit(e, cpu, !owned);
}

/*
 * The kernel skips a program that is running already on the CPU, and an
 * interrupt during `transition` may end in a softirq that changes other
 * sockets' states. So a second program follows, and records what the first one
 * hasn't. The first leaves a note of each transition that it recorded, the
 * second takes it away.
 *
 * A process's note has place 0, for no other can be under way then. Softirqs
 * that come in between add theirs above it. They aren't interrupted by others,
 * so each finds its own on top; only those that hit the second program leave
 * theirs behind. The next process takes these away before it records, for the
 * kernel uses a socket's address again: an interrupt just then would take the
 * old note for its own.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(transition, const struct sock *sk, int state_old, int state_new)
{
	struct cpu_state *cpu = this_cpu();
	__u32 index;

	if (!cpu)
		return 0;
	if (sk->sk_lock.owned) {
		cpu->count = 0;
		cpu->notes[0].sk = 0;
		barrier();
	}
	record_transition(cpu, sk, state_old, state_new, false);
	index = sk->sk_lock.owned ? 0 : cpu->count;
	if (index >= MAX_NOTES)
		index = 1;
	cpu->count = index + 1; /* the place first, for an interrupt takes the next */
	barrier();
	cpu->notes[index].sk = (__u64)sk;
	cpu->notes[index].states = (__u64)state_old << 32 | state_new;
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(transition_nested, const struct sock *sk, int state_old, int state_new)
{
	__u64 states = (__u64)state_old << 32 | state_new;
	struct cpu_state *cpu = this_cpu();
	__u32 index;

	if (!cpu)
		return 0;
	index = sk->sk_lock.owned ? 0 : cpu->count - 1;
	if (index < MAX_NOTES && cpu->notes[index].sk == (__u64)sk &&
	    cpu->notes[index].states == states) {
		cpu->notes[index].sk = 0;
		cpu->count = index;
		return 0;
	}
	count(&shared.nested);
	record_transition(cpu, sk, state_old, state_new, true);
	return 0;
}

/*
 * A child inherits its listener's owner, which is wrong where one process
 * listens and another serves (pre-fork servers). Whoever reads from the socket
 * holds it.
 */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(reader, struct sock *sk)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct owner *owner = bpf_sk_storage_get(&owners, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!owner || (owner->pid == pid && owner->reader))
		return 0;
	current_process(&owner->pid, owner->name);
	owner->reader = 1;
	return 0;
}

/*
 * A half-open request isn't a socket yet, so no transition tells of it until
 * the handshake's last ACK comes. One that waits longer shows itself here.
 */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(syn_ack, const struct sock *listener, const struct request_sock *request)
{
	struct tcp_request_sock *req = (void *)request;
	struct tcpstate_event *e;
	struct identity id;
	struct owner *owner;

	if (listener->sk_protocol != IPPROTO_TCP)
		return 0;
	identify_common(&id, &request->__req_common);
	if (!wanted(&id, false))
		return 0;
	if (config.filter_cgroup && !in_cgroup(listener->sk_cgrp_data.cgroup))
		return 0;
	e = reserve();
	if (!e)
		return 0;
	__builtin_memset(e, 0, sizeof(*e));
	e->timestamp_ns = bpf_ktime_get_ns();
	fill_minisock(e, &id, &request->__req_common, TCPSTATE_KIND_SYN_ACK, TCP_NEW_SYN_RECV);
	e->user_id = listener->sk_uid.val;
	e->retransmits = BPF_CORE_READ(req, req.req.num_retrans);
	e->timeouts = BPF_CORE_READ_BITFIELD_PROBED(&req->req.req, num_timeout);
	e->total_rto_time_ms = request_age_us(req, e->timestamp_ns) / 1000;
	e->send_unacknowledged = BPF_CORE_READ(req, snt_isn);
	e->send_next = e->send_unacknowledged + 1;
	e->receive_next = BPF_CORE_READ(req, rcv_nxt);
	owner = bpf_sk_storage_get(&owners, (void *)listener, 0, 0);
	if (owner) {
		e->owner_pid = owner->pid;
		__builtin_memcpy(e->owner_name, owner->name, sizeof(e->owner_name));
	}
	submit(e, this_cpu(), true);
	return 0;
}

/*
 * A RST that we send for a socket that is gone already tells why it went: the
 * transition's error can't, for it reads as if the reset had been received.
 */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(reset_sent, const struct sock *sk)
{
	struct tcpstate_event *e;
	struct identity id;
	__u8 state;

	if (!sk)
		return 0;
	state = sk->__sk_common.skc_state;
	if (state != TCP_CLOSE && state != TCP_TIME_WAIT)
		return 0;
	identify_common(&id, &sk->__sk_common);
	if (!wanted(&id, id.local_port == 0))
		return 0;
	e = reserve();
	if (!e)
		return 0;
	__builtin_memset(e, 0, sizeof(*e));
	e->timestamp_ns = bpf_ktime_get_ns();
	fill_minisock(e, &id, &sk->__sk_common, TCPSTATE_KIND_RESET_SENT, state);
	/* The tracepoint tells it since it is an enum: before there is no third argument. */
	if (bpf_core_type_exists(enum sk_rst_reason))
		e->reset_reason = reset_reason(ctx[2]);
	submit(e, this_cpu(), true);
	return 0;
}

/* The classic tracepoint's context, include/trace/events/sock.h; the layout is its ABI. */
struct set_state_context {
	__u64 common;
	const void *skaddr;
	int oldstate;
	int newstate;
	__u16 sport;
	__u16 dport;
	__u16 family;
	__u16 protocol;
	__u8 saddr[4];
	__u8 daddr[4];
	__u8 saddr_v6[16];
	__u8 daddr_v6[16];
};

/*
 * The fallback for kernels that refuse the program above: no BTF pointers, no
 * local storage, no cookie.
 */
SEC("tp/sock/inet_sock_set_state")
int transition_classic(struct set_state_context *ctx)
{
	struct sock *sk = (void *)ctx->skaddr;
	struct tcp_sock *tp = (void *)ctx->skaddr;
	struct tcpstate_event *e;
	struct identity id;

	if (ctx->protocol != IPPROTO_TCP)
		return 0;
	identify_probed(&id, tp);
	if (!wanted(&id, id.local_port == 0 || ctx->oldstate == TCP_SYN_SENT))
		return 0;
	if (config.filter_cgroup && !in_cgroup(BPF_CORE_READ(sk, sk_cgrp_data.cgroup)))
		return 0;

	e = reserve();
	if (!e)
		return 0;
	e->timestamp_ns = bpf_ktime_get_ns();
	fill_probed(e, &id, tp);
	e->kind = TCPSTATE_KIND_TRANSITION;
	e->state_old = ctx->oldstate;
	e->state_new = ctx->newstate;
	/* Somebody may generate one midway: then it would be another connection. */
	e->cookie = 0;
	if (BPF_CORE_READ(sk, sk_lock.owned)) {
		e->flags |= TCPSTATE_FLAG_OWNED;
		current_process(&e->actor_pid, e->actor_name);
	} else {
		e->actor_pid = 0;
		__builtin_memset(e->actor_name, 0, sizeof(e->actor_name));
	}
	own_by_act(e, owner_acts(e));
	submit(e, this_cpu(), !(e->flags & TCPSTATE_FLAG_OWNED));
	return 0;
}

#include "snapshot.h"
#include "aggregate.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
