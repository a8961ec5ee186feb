/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The stays of all sockets, counted where they end: for hosts on which even a
 * record for each transition is too much. What ConnectionTracker does with the
 * records is done here as far as the numbers per state need it.
 */

/*
 * When each socket entered its state, by its address: a hash table of our own in
 * an array, whose elements the verifier lets us reach without a call. A hash map
 * would take as long as all the rest, the socket's storage longer.
 *
 * A socket is in one of the two buckets that its address leads to. Its own lock
 * keeps its transitions apart, so only taking a free place needs an atomic
 * operation. A transition that isn't seen leaves an entry behind until its
 * address is used again, so there are never more than sockets.
 */
#define SLOTS 4
#define BUCKETS (512 * 1024) /* a power of two; 32 MB, for two million sockets */

/* Above the address, whose upper 7 bits are all ones on every machine. */
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

struct stay {
	__u64 ns;
	bool known;
	bool exact;
};

static __always_inline __u32 bucket_of(__u64 ns)
{
	__u64 rest = ns;
	__u32 exponent = 0;

	if (ns < 64)
		return ns;
	for (int step = 32; step; step >>= 1) {
		if (rest >> step) {
			rest >>= step;
			exponent += step;
		}
	}
	return 64 + (exponent - 6) * 32 + ((ns >> (exponent - 5)) & 31);
}

static __always_inline void record_stay(__u32 state, struct stay stay)
{
	struct tcpstate_stays *s = bpf_map_lookup_elem(&stays, &state);
	__u32 bucket = bucket_of(stay.ns);

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

/* As ConnectionTracker.synReceivedStay, which says why. */
static __always_inline struct stay syn_received_stay(struct tcp_sock *tp, struct stay seen)
{
	__u64 sample = (__u64)(tp->srtt_us >> 3) * 1000;
	__u32 retransmits = tp->total_retrans;
	__u64 least = sample;
	bool exact = true;

	if (retransmits == 0) {
		if (sample % 1000000 == 0) {
			least = 0;
			exact = false;
		}
	} else if (bpf_core_field_exists(tp->total_rto_time) && tp->total_rto_time) {
		least = (__u64)tp->total_rto_time * 1000000;
	} else {
		least = ((1ULL << (retransmits > 7 ? 7 : retransmits)) - 1) * 1000000000;
		exact = false;
	}
	return (struct stay){ .ns = least > seen.ns ? least : seen.ns,
			      .known = true,
			      .exact = exact };
}

/* FIN-WAIT-2 goes on in a minisock, which no tracepoint follows; see Ending. */
static __always_inline bool becomes_minisock(struct tcp_sock *tp, const struct sock *sk,
					     int state_old)
{
	return state_old == 5 /* FIN_WAIT2 */ && !tp->SK.sk_err &&
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

	if (slot) { /* its end was missed */
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

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(aggregate, const struct sock *sk, int state_old, int state_new)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock((void *)sk);
	struct tcpstate_tally *tally;
	struct stay stay = {};
	__u64 address, now;
	struct slot *slot;
	__u32 zero = 0;
	bool child;

	if (!tp || state_old == state_new || state_old < 0 || state_old >= TCPSTATE_STATES ||
	    state_new < 0 || state_new >= TCPSTATE_STATES)
		return 0;
	tally = bpf_map_lookup_elem(&tallies, &zero);
	if (!tally)
		return 0;
	/* The verifier forbids to reckon with a pointer, so make it a number. */
	*(volatile __u64 *)&tally->socket = (__u64)sk;
	address = *(volatile __u64 *)&tally->socket;
	child = state_old == 10 /* LISTEN */ && state_new == TCP_SYN_RECV;
	/* Before 6.15 a child has no peer yet: whether it is wanted is known next time. */
	if (config.filters && !(child && !tp->SK.__sk_common.skc_dport) && !aggregated(tp, sk)) {
		if (state_old == TCP_SYN_SENT || state_old == TCP_SYN_RECV)
			forget(tally, address); /* taken in before its ports were known */
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
	if (slot && state_of(slot) == state_old) {
		stay = (struct stay){ now - slot->entered_ns, true, true };
		if (slot->key & IS_SERVER && state_old == TCP_SYN_RECV)
			stay = syn_received_stay(tp, stay);
	} else if (slot) {
		tally->unmatched++;
		tally->open[state_of(slot)]--;
		tally->open[state_old & 15]++;
	} else if (!shared.untracked && shared.attached_ns && now > shared.attached_ns) {
		/* It was there before: all the others are remembered. */
		stay = (struct stay){ now - shared.attached_ns, true, false };
	}
	tally->open[state_old & 15]--;
	if (state_new == TCP_CLOSE) {
		if (becomes_minisock(tp, sk, state_old)) {
			tally->minisocks++;
			stay.known = false;
		}
		if (slot)
			slot->key = 0;
	} else {
		tally->open[state_new & 15]++;
		if (slot) {
			slot->entered_ns = now;
			slot->key = (slot->key & (ADDRESS | IS_SERVER)) | (__u64)state_new
										  << STATE_SHIFT;
		} else {
			remember(tally, address, now, state_new, false);
		}
	}
	if (stay.known)
		record_stay(state_old, stay);
	return 0;
}
