/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Whether a socket belongs to the cgroup that is asked for. The kernel gives a
 * socket the cgroup of the process that made it. A service that was handed its
 * listener (socket activation) or its connections is in another one, so sockets
 * that its processes hold count, too.
 */
#ifndef TCPSTATE_MEMBER_H
#define TCPSTATE_MEMBER_H

#include "filter.h"

/* Sockets that a process of the cgroup has been seen with, and the children of such listeners. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, __u32);
} members SEC(".maps");

struct listener_key {
	__u32 netns;
	__u32 port;
};

/* Listeners among them, for connections in their queues that are older than what is known of them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct listener_key);
	__type(value, __u32);
} member_listeners SEC(".maps");

/* The task has the socket. */
static __always_inline void note_member(struct sock *sk, struct task_struct *task)
{
	struct listener_key key = {};
	__u32 one = 1;

	if (!config.filter_cgroup || config.plain)
		return;
	if (!in_cgroup(BPF_CORE_READ(task, cgroups, dfl_cgrp)))
		return;
	bpf_sk_storage_get(&members, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (sk->__sk_common.skc_state != TCP_LISTEN)
		return;
	key.netns = sk->__sk_common.skc_net.net->ns.inum;
	key.port = sk->__sk_common.skc_num;
	bpf_map_update_elem(&member_listeners, &key, &one, 0);
}

/* sk: as far as the caller may use it for its storage. */
static __always_inline bool wanted_member(struct sock *sk, struct cgroup *cgroup)
{
	if (!config.filter_cgroup || in_cgroup(cgroup))
		return true;
	return !config.plain && bpf_sk_storage_get(&members, sk, 0, 0);
}

static __always_inline bool waits_at_member(const struct identity *id)
{
	struct listener_key key = { .netns = id->netns, .port = id->local_port };

	return !config.plain && bpf_map_lookup_elem(&member_listeners, &key);
}

#endif
