/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The stays of all sockets, counted where they end: for hosts on which even one
 * record per transition is too much. It does as much of ConnectionTracker's work
 * as the numbers per state need.
 */

/*
 * When each socket entered its state, by its address: our own hash table in an
 * array, whose elements can be reached without a call. A hash map would take as
 * long as everything else together, socket storage longer.
 *
 * A socket is in one of the two buckets to which its address leads. Its lock
 * serializes its transitions, so only taking a free slot needs an atomic
 * operation. A transition that isn't seen leaves an entry behind until the
 * address is reused, so there are never more entries than sockets.
 */
#define SLOTS 4
#define BUCKETS (512 * 1024) /* a power of two; 32 MB, for two million sockets */

/* Stored above the address, whose upper 7 bits are all ones on every machine. */
#define ADDRESS ((1ULL << 57) - 1)
#define STATE_SHIFT 57
#define IS_SERVER (1ULL << 61)

struct bucket {
	struct slot {
		__u64 key; /* address, state and IS_SERVER; 0 free */
		__u64 entered_ns;
	} slots[SLOTS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BUCKETS);
	__type(key, __u32);
	__type(value, struct bucket);
} entered SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TCPSTATE_STATES);
	__type(key, __u32);
	__type(value, struct tcpstate_stays);
} stays SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tcpstate_tally);
} tallies SEC(".maps");

static __always_inline void record_stay(__u32 state, struct tcpstate_stay stay)
{
	struct tcpstate_stays *s = bpf_map_lookup_elem(&stays, &state);
	__u32 bucket = tcpstate_stay_bucket(stay.ns);

	if (!s || bucket >= TCPSTATE_STAY_BUCKETS)
		return;
	s->count++;
	s->buckets[bucket]++;
	s->total_ns += stay.ns;
	if (!stay.exact)
		s->at_least++;
	if (stay.ns > s->longest_ns) {
		s->longest_ns = stay.ns;
		s->longest_at_least = !stay.exact;
	}
}

/* 0 where the kernel doesn't keep it, before 6.7. */
static __always_inline __u32 rto_time_ms(const struct tcp_sock *tp)
{
	return bpf_core_field_exists(tp->total_rto_time) ? tp->total_rto_time : 0;
}

/* FIN-WAIT-2 continues in a minisock, which no tracepoint follows; see Ending. */
static __always_inline bool becomes_minisock(struct tcp_sock *tp, const struct sock *sk,
					     int state_old)
{
	return state_old == TCP_FIN_WAIT2 && !tp->SK.sk_err &&
	       !(tp->SK.__sk_common.skc_flags & (1 << SOCK_DONE)) && !tp->SK.sk_socket &&
	       !(sk->sk_lock.owned && tp->linger2 < 0);
}

static __always_inline bool aggregated(struct tcp_sock *tp, const struct sock *sk)
{
	struct identity id;

	identify_direct(&id, tp);
	if (!wanted(&id, id.local_port == 0))
		return false;
	return !config.filter_cgroup || in_cgroup(sk->sk_cgrp_data.cgroup);
}

static __always_inline int state_of(const struct slot *slot)
{
	return slot->key >> STATE_SHIFT & 15;
}

static __always_inline struct bucket *bucket_at(__u64 address, __u32 which)
{
	__u64 hash = (address & ADDRESS) * 0x9e3779b97f4a7c15ULL;
	__u32 index = (which ? hash >> 16 : hash >> 40) & (BUCKETS - 1);

	return bpf_map_lookup_elem(&entered, &index);
}

static __always_inline struct slot *find(__u64 address)
{
	for (__u32 which = 0; which < 2; which++) {
		struct bucket *bucket = bucket_at(address, which);

		if (!bucket)
			return NULL;
		for (int i = 0; i < SLOTS; i++)
			if (((bucket->slots[i].key ^ address) & ADDRESS) == 0)
				return &bucket->slots[i];
	}
	return NULL;
}

static __always_inline struct slot *take(__u64 key)
{
	for (__u32 which = 0; which < 2; which++) {
		struct bucket *bucket = bucket_at(key, which);

		if (!bucket)
			return NULL;
		for (int i = 0; i < SLOTS; i++)
			if (!bucket->slots[i].key &&
			    !__sync_val_compare_and_swap(&bucket->slots[i].key, 0, key))
				return &bucket->slots[i];
	}
	return NULL;
}

static __always_inline void remember(struct tcpstate_tally *tally, __u64 address, __u64 now,
				     int state, bool server)
{
	__u64 key = (address & ADDRESS) | (__u64)state << STATE_SHIFT | (server ? IS_SERVER : 0);
	struct slot *slot = find(address);

	if (slot) { /* the end of the socket before it was missed */
		tally->open[state_of(slot)]--;
		tally->unmatched++;
		slot->key = key;
	} else {
		slot = take(key);
	}
	if (slot) {
		slot->entered_ns = now;
	} else {
		tally->untracked++;
		shared.untracked = 1;
	}
}

static __always_inline void forget(struct tcpstate_tally *tally, __u64 address)
{
	struct slot *slot = find(address);

	if (!slot)
		return;
	tally->open[state_of(slot)]--;
	slot->key = 0;
}

/* How long the socket was in state_old, according to its slot. */
static __always_inline struct tcpstate_stay stay_in(int state_old, struct tcpstate_tally *tally,
						    struct tcp_sock *tp, const struct slot *slot,
						    __u64 now)
{
	struct tcpstate_stay stay = {};

	if (slot && state_of(slot) == state_old) {
		stay = (struct tcpstate_stay){ now - slot->entered_ns, true, true };
		if (slot->key & IS_SERVER && state_old == TCP_SYN_RECV)
			stay = tcpstate_syn_received_stay(tp->srtt_us, tp->total_retrans,
							  rto_time_ms(tp), stay.ns);
	} else if (slot) {
		tally->unmatched++;
		tally->open[state_of(slot)]--;
		tally->open[state_old & 15]++;
	} else if (!shared.untracked && shared.attached_ns && now > shared.attached_ns) {
		/* It is older than the tracer: all others are remembered. */
		stay = (struct tcpstate_stay){ now - shared.attached_ns, true, false };
	}
	return stay;
}

static __always_inline void enter(int state_new, struct tcpstate_tally *tally, __u64 address,
				  struct slot *slot, __u64 now)
{
	if (state_new == TCP_CLOSE) {
		if (slot)
			slot->key = 0;
		return;
	}
	tally->open[state_new & 15]++;
	if (slot) {
		slot->entered_ns = now;
		slot->key = (slot->key & (ADDRESS | IS_SERVER)) | (__u64)state_new << STATE_SHIFT;
	} else {
		remember(tally, address, now, state_new, false);
	}
}

static __always_inline bool known_states(int state_old, int state_new)
{
	return state_old >= 0 && state_old < TCPSTATE_STATES && state_new >= 0 &&
	       state_new < TCPSTATE_STATES;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(aggregate, const struct sock *sk, int state_old, int state_new)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);
	struct tcpstate_tally *tally;
	struct tcpstate_stay stay;
	__u64 address, now;
	struct slot *slot;
	__u32 zero = 0;
	bool child;

	if (!tp || state_old == state_new || !known_states(state_old, state_new))
		return 0;
	tally = bpf_map_lookup_elem(&tallies, &zero);
	if (!tally)
		return 0;
	/* The verifier rejects arithmetic on a pointer, so make it a number. */
	*(volatile __u64 *)&tally->socket = (__u64)sk;
	address = *(volatile __u64 *)&tally->socket;
	child = state_old == TCP_LISTEN && state_new == TCP_SYN_RECV;
	/* Before 6.15 a child has no peer yet; its next transition shows whether it is wanted. */
	if (config.filters && !(child && !tp->SK.__sk_common.skc_dport) && !aggregated(tp, sk)) {
		if (state_old == TCP_SYN_SENT || state_old == TCP_SYN_RECV)
			forget(tally, address); /* remembered before its ports were known */
		return 0;
	}
	now = bpf_ktime_get_ns();
	tally->transitions++;
	if (state_old == TCP_CLOSE || child) {
		tally->open[state_new & 15]++;
		remember(tally, address, now, state_new, child);
		return 0;
	}

	slot = find(address);
	stay = stay_in(state_old, tally, tp, slot, now);
	tally->open[state_old & 15]--;
	if (state_new == TCP_CLOSE && becomes_minisock(tp, sk, state_old)) {
		tally->minisocks++;
		stay.exact = false; /* it goes on, and its end isn't seen */
	}
	enter(state_new, tally, address, slot, now);
	if (stay.known)
		record_stay(state_old, stay);
	return 0;
}
