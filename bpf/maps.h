/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What user space sets before load, and the maps that both sides share. */
#ifndef TCPSTATE_MAPS_H
#define TCPSTATE_MAPS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <tcpstate_event.h>
#include <tcpstate_stay.h>

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
	__u32 kind; /* TCPSTATE_OWNER_*: how it is known */
	__u8 name[TCPSTATE_NAME_LENGTH];
};

/*
 * Which process reads from a socket. Creating the storage costs a connection
 * more than everything else done for it here, so it waits until a process reads.
 * Until then the consumer takes the process that opened the socket, or its
 * listener, for the owner.
 *
 * The port doesn't distinguish listeners that share it. They have storage from
 * the start, which is cloned into the child at SYN-RECEIVED and there says which
 * owner the child inherits.
 */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct owner);
} owners SEC(".maps");

/*
 * Which process holds an MPTCP socket, by its address, from its opening to its
 * end. Kernel threads open further TCP connections below it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct owner);
} mptcp_owners SEC(".maps");

static __always_inline bool shares_port(const struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD_PROBED(&sk->__sk_common, skc_reuseport);
}

/*
 * The process that opened, or was found to hold, a listener, by its port. If it
 * takes a connection over itself, it is what the consumer takes for the owner
 * anyway, and no record is needed. Where listeners of two processes use the same
 * port, one of them has a record for each connection.
 */
#define PORTS 65536

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PORTS);
	__type(key, __u32);
	__type(value, __u32);
} listener_pids SEC(".maps");

static __always_inline __u32 *listener_pid(__u16 port)
{
	__u32 index = port;

	return bpf_map_lookup_elem(&listener_pids, &index);
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

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tcpstate_snapshot);
} snapshot_scratch SEC(".maps");

#endif
