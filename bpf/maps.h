/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What user space sets before load, and the maps both sides share. */
#ifndef TCPSTATE_MAPS_H
#define TCPSTATE_MAPS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <tcpstate_event.h>

#define PORT_WORDS 1024 /* 65,536 ports, a bit each */
#define MAX_NETWORKS 4096

const volatile struct tcpstate_config config;
struct tcpstate_shared shared;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} events SEC(".maps");

struct owner {
	__u32 pid; /* thread group id */
	__u32 reader; /* seen reading, so not merely inherited from the listener */
	__u8 name[TCPSTATE_NAME_LENGTH];
};

/*
 * Who reads from a socket. Storage costs a connection more than all the rest
 * that is done for it here, so it isn't made before somebody reads; until then
 * the consumer knows the owner from who opened the socket or the listener.
 *
 * Listeners that share their port can't be told apart by it. They have storage
 * from the start, and it is cloned into the child at SYN-RECEIVED.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct owner);
} owners SEC(".maps");

static __always_inline bool shares_port(const struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD_PROBED(&sk->__sk_common, skc_reuseport);
}

struct port_set {
	__u64 words[PORT_WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct port_set);
} local_ports SEC(".maps"), peer_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_NETWORKS);
	__type(key, struct tcpstate_network_key);
	__type(value, __u8);
} local_networks SEC(".maps"), peer_networks SEC(".maps");

#endif
