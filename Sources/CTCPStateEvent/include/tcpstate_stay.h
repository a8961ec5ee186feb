/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the kernel side and Swift have to compute alike of a stay. The tests
 * call these functions and compare them with Swift's.
 */
#ifndef TCPSTATE_STAY_H
#define TCPSTATE_STAY_H

#include "tcpstate_event.h"

#define TCPSTATE_INLINE static inline __attribute__((always_inline))

/* How long a socket was in a state. */
struct tcpstate_stay {
	tcpstate_u64 ns;
	_Bool known; /* false: the rest means nothing */
	_Bool exact; /* false: ns is a lower bound */
};

/*
 * The bucket of a stay, see TCPSTATE_STAY_BUCKETS. By shifts: BPF has no
 * instruction that counts leading zeros.
 */
TCPSTATE_INLINE tcpstate_u32 tcpstate_stay_bucket(tcpstate_u64 ns)
{
	tcpstate_u64 rest = ns;
	tcpstate_u32 exponent = 0;

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

/*
 * The true time in SYN-RECEIVED of a listener's child, when it leaves that
 * state. As ConnectionTracker.synReceivedStay, which says why.
 *
 * smoothed_rtt_us8 and retransmits are as in tcpstate_event; total_rto_time_ms
 * is 0 where the kernel doesn't keep it; seen_ns is the time between the
 * events, 0 where the first one wasn't seen.
 */
TCPSTATE_INLINE struct tcpstate_stay tcpstate_syn_received_stay(tcpstate_u32 smoothed_rtt_us8,
								tcpstate_u32 retransmits,
								tcpstate_u32 total_rto_time_ms,
								tcpstate_u64 seen_ns)
{
	tcpstate_u64 sample = (tcpstate_u64)(smoothed_rtt_us8 >> 3) * 1000;
	tcpstate_u64 least = sample;
	_Bool exact = 1;

	if (retransmits == 0) {
		if (sample % 1000000 == 0) {
			least = 0;
			exact = 0;
		}
	} else if (total_rto_time_ms) {
		least = (tcpstate_u64)total_rto_time_ms * 1000000;
	} else {
		least = ((1ULL << (retransmits > 7 ? 7 : retransmits)) - 1) * 1000000000;
		exact = 0;
	}
	return (struct tcpstate_stay){ .ns = least > seen_ns ? least : seen_ns,
				       .known = 1,
				       .exact = exact };
}

#undef TCPSTATE_INLINE

#endif
