/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Prefetch, which Swift does not expose. */
#ifndef TCPSTATE_PREFETCH_H
#define TCPSTATE_PREFETCH_H

/* Requests the cache line at an address, which needn't be valid. */
static inline void tcpstate_prefetch(const void *address)
{
	__builtin_prefetch(address);
}

#endif
