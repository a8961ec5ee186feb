/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The programs at sock:inet_sock_set_state: one record for each transition. */

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
	if (owned)
		e->flags |= TCPSTATE_FLAG_OWNED;
	worker = owned && mptcp_worker(tp, probing);
	if (owned && !worker) {
		current_process(&e->actor_pid, e->actor_name);
	} else {
		e->actor_pid = 0;
		__builtin_memset(e->actor_name, 0, sizeof(e->actor_name));
	}
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
 * states. So a second program runs after it and records what the first one
 * hasn't. The first leaves a note of each transition it has recorded; the second
 * removes it.
 *
 * A process's note has place 0, because no other can be under way then. Softirqs
 * that come in between add theirs above it. They don't interrupt each other, so
 * each finds its own note on top; only those that hit the second program leave
 * theirs behind. The next process removes these before it records: the kernel
 * reuses the addresses of sockets, and an interrupt at that moment would take an
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
	cpu->count = index + 1; /* the place first, so that an interrupt takes the next one */
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
	own_by_act(e, owner_acts(e));
	submit(e, this_cpu(), !(e->flags & TCPSTATE_FLAG_OWNED));
	return 0;
}
