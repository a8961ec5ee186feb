/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The programs at sock:inet_sock_set_state: one record for each transition. */

static __always_inline bool wanted_change(const struct identity *id, int state_old, int state_new)
{
	if (state_new == TCP_LISTEN || (state_old == TCP_LISTEN && state_new == TCP_CLOSE))
		return wanted_listener(id);
	return wanted(id, id->local_port == 0 || state_old == TCP_SYN_SENT);
}

/*
 * probing: with probe reads, which run slower but are verified faster. That
 * suits a program that hardly ever gets here.
 */
static __always_inline void record_transition(struct cpu_state *cpu, const struct sock *sk,
					      int state_old, int state_new, bool probing)
{
	struct tcpstate_event *e;
	struct identity id;
	struct tcp_sock *tp;
	bool owned, worker;

	tp = bpf_skc_to_tcp_sock((void *)sk);
	if (!tp) { /* SCTP, and the MPTCP connection above its subflows */
		note_mptcp(sk, state_old, state_new);
		return;
	}
	if (probing)
		identify_probed(&id, tp);
	else
		identify_direct(&id, tp);
	if (!wanted_change(&id, state_old, state_new))
		return;
	if (config.filter_cgroup && !config.plain && sk->sk_lock.owned)
		note_member((void *)sk, bpf_get_current_task_btf());
	if (!wanted_member((void *)sk, sk->sk_cgrp_data.cgroup))
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
	if (owned)
		e->flags |= TCPSTATE_FLAG_OWNED;
	worker = owned && mptcp_worker(tp, probing);
	if (owned && !worker) {
		current_process(&e->actor_pid, e->actor_name);
	} else {
		e->actor_pid = 0;
		__builtin_memset(e->actor_name, 0, sizeof(e->actor_name));
	}
	e->flags |= silent_end(e, tp);
	if (config.plain)
		own_by_act(e, owner_acts(e));
	else
		own_by_storage(e, sk, owner_acts(e));
	if (worker && !e->owner_pid)
		own_by_mptcp(e, tp);
	submit(e, cpu, !owned);
}

/*
 * The kernel skips a program that is already running on the CPU, and an
 * interrupt during `transition` may end in a softirq that changes other sockets'
 * states. Where tracepoint programs may be preempted, another task may do so, too.
 * So a second program runs after it and records what the first one hasn't. The
 * first leaves a note of each transition it has recorded; the second removes it.
 *
 * A note belongs to its socket, wherever the second program runs: on another CPU
 * if the task was moved in between. The socket's lock keeps its transitions apart,
 * so it needs one note at a time. A note that isn't removed, because an interrupt
 * hit the second program, is replaced by the socket's next one.
 */
#define NOTE_BUCKETS 1024 /* both are powers of two */
#define NOTE_WAYS 4

struct notes {
	struct note {
		__u64 sk;
		__u64 states; /* 0: free */
	} ways[NOTE_WAYS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NOTE_BUCKETS);
	__type(key, __u32);
	__type(value, struct notes);
} notes SEC(".maps");

/* By what doesn't change during a transition; the verifier rejects arithmetic on sk itself. */
static __always_inline struct notes *notes_of(const struct sock *sk)
{
	__u32 ends = sk->__sk_common.skc_daddr ^ sk->__sk_common.skc_dport ^
		     (__u32)sk->__sk_common.skc_num << 8;
	__u32 bucket = (ends * 0x9e3779b9U) >> 16 & (NOTE_BUCKETS - 1);

	return bpf_map_lookup_elem(&notes, &bucket);
}

/*
 * Each CPU begins at a way of its own. That a way is free isn't checked and set
 * at once, which kernels before 5.12 can't: should two come to the same one at the
 * same instant, one of the transitions is recorded twice.
 */
static __always_inline void leave_note(const struct sock *sk, __u64 states)
{
	struct notes *bucket = notes_of(sk);
	__u32 own = bpf_get_smp_processor_id() & (NOTE_WAYS - 1);
	__u32 way = own;

	if (!bucket)
		return;
	for (__u32 i = 0; i < NOTE_WAYS; i++) {
		if (bucket->ways[i].sk == (__u64)sk) {
			bucket->ways[i].states = states;
			return;
		}
	}
	for (__u32 i = 0; i < NOTE_WAYS; i++) {
		way = (own + i) & (NOTE_WAYS - 1);
		if (!bucket->ways[way].states)
			break;
		way = own; /* if none is free: all are of sockets that have gone */
	}
	bucket->ways[way].states = states;
	barrier();
	bucket->ways[way].sk = (__u64)sk;
}

/* Returns whether there was a note of this transition. */
static __always_inline bool take_note(const struct sock *sk, __u64 states)
{
	struct notes *bucket = notes_of(sk);

	if (!bucket)
		return false;
	for (int i = 0; i < NOTE_WAYS; i++) {
		if (bucket->ways[i].sk == (__u64)sk && bucket->ways[i].states == states) {
			bucket->ways[i].sk = 0;
			barrier(); /* free only once it is nobody's */
			bucket->ways[i].states = 0;
			return true;
		}
	}
	return false;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(transition, const struct sock *sk, int state_old, int state_new)
{
	struct cpu_state *cpu = this_cpu();

	if (!cpu)
		return 0;
	record_transition(cpu, sk, state_old, state_new, false);
	leave_note(sk, (__u64)state_old << 32 | state_new);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(transition_nested, const struct sock *sk, int state_old, int state_new)
{
	struct cpu_state *cpu = this_cpu();

	if (!cpu || take_note(sk, (__u64)state_old << 32 | state_new))
		return 0;
	count(&shared.nested);
	record_transition(cpu, sk, state_old, state_new, true);
	return 0;
}

/* The classic tracepoint's context, include/trace/events/sock.h; its layout is ABI. */
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
 * The fallback for kernels that reject the programs above: no BTF pointers, no
 * local storage, no cookies.
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
	if (!wanted_change(&id, ctx->oldstate, ctx->newstate))
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
	/* One may be generated midway; with it this would look like another connection. */
	e->cookie = 0;
	if (BPF_CORE_READ(sk, sk_lock.owned))
		e->flags |= TCPSTATE_FLAG_OWNED;
	if (e->flags & TCPSTATE_FLAG_OWNED && !mptcp_worker(tp, true)) {
		current_process(&e->actor_pid, e->actor_name);
	} else {
		e->actor_pid = 0;
		__builtin_memset(e->actor_name, 0, sizeof(e->actor_name));
	}
	e->flags |= silent_end(e, tp);
	own_by_act(e, owner_acts(e));
	submit(e, this_cpu(), !(e->flags & TCPSTATE_FLAG_OWNED));
	return 0;
}
