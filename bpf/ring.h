/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Records on their way to user space: reserve, submit, count losses. */
#ifndef TCPSTATE_RING_H
#define TCPSTATE_RING_H

#include "maps.h"

/*
 * An atomic increment that every kernel accepts. Newer compilers emit one that
 * returns the old value even if it isn't used, which the verifier rejects before
 * 5.12.
 */
static __always_inline void count(__u64 *counter)
{
	asm volatile("lock *(u64 *)(%0 + 0) += %1" : : "r"(counter), "r"(1ULL) : "memory");
}

/* What the programs on one CPU share. */
struct cpu_state {
	__u32 submitted; /* records, modulo 2^32 */
	__u32 wake_due; /* the consumer has much to read and hasn't been woken yet */
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
 * Waking the consumer costs the traced process more than everything else, so
 * the consumer polls by a timer until there is much to read. Even the check runs
 * only every LOOK_EVERY records, and the consumer is woken once until it has read.
 *
 * The wake-up is an interrupt on this CPU, taken at once. With bottom halves
 * enabled, pending packets would be handled at its end, still inside this
 * program. So a process leaves the wake-up to the next transition in a softirq.
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

#endif
