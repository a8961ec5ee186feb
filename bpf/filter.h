/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Whether a socket is wanted. The state doesn't count: a stay is only known from
 * its beginning and its end, so every transition of a wanted socket has to be seen.
 */
#ifndef TCPSTATE_FILTER_H
#define TCPSTATE_FILTER_H

#include "maps.h"
#include <bpf/bpf_core_read.h>

/* What the filters look at; each program collects it from the kind of socket it has. */
struct identity {
	__u8 local_address[16];
	__u8 peer_address[16];
	__u32 netns;
	__u16 local_port;
	__u16 peer_port;
	__u16 family;
};

static __always_inline bool v4mapped(const __u8 *address)
{
	const __u32 *words = (const __u32 *)address;

	return words[0] == 0 && words[1] == 0 && words[2] == bpf_htonl(0xffff);
}

static __always_inline bool port_in(void *ports, __u16 port)
{
	__u32 zero = 0;
	struct port_set *set = bpf_map_lookup_elem(ports, &zero);

	return set && (set->words[(port >> 6) & (PORT_WORDS - 1)] >> (port & 63) & 1);
}

static __always_inline bool network_has(void *networks, const __u8 *address)
{
	struct tcpstate_network_key key = { .prefix_length = 128 };

	__u8 *version;

	__builtin_memcpy(key.address, address, sizeof(key.address));
	version = bpf_map_lookup_elem(networks, &key);
	/* ::/0 means all of IPv6; it must not match IPv4 although that is stored v4-mapped. */
	return version && (*version == 4 || !v4mapped(address));
}

/* The id of a cgroup's ancestor, given as its level times 8. */
static __always_inline __u64 ancestor_id(struct cgroup *cgroup, __u64 offset)
{
	__u64 id = 0;

	if (bpf_core_field_exists(cgroup->ancestors)) {
		struct cgroup *ancestor = NULL;

		bpf_probe_read_kernel(&ancestor, sizeof(ancestor),
				      (const char *)&cgroup->ancestors + offset);
		id = BPF_CORE_READ(ancestor, kn, id);
	} else if (bpf_core_field_exists(cgroup->ancestor_ids)) {
		bpf_probe_read_kernel(&id, sizeof(id),
				      (const char *)&cgroup->ancestor_ids + offset);
	}
	return id;
}

#define MAX_CGROUP_LEVELS 32

/*
 * In a cgroup namespace nobody knows how deep it is. The cgroups of containers
 * are a few levels down, so it doesn't take long.
 */
static __always_inline bool below_cgroup(struct cgroup *cgroup)
{
	int level = BPF_CORE_READ(cgroup, level);

	for (int i = 0; i < MAX_CGROUP_LEVELS; i++) {
		if (i > level)
			return false;
		if (ancestor_id(cgroup, (__u64)i * 8) == config.filter_cgroup)
			return true;
	}
	return false;
}

static __always_inline bool in_cgroup(struct cgroup *cgroup)
{
	if (config.filter_cgroup_level == TCPSTATE_ANY_LEVEL)
		return below_cgroup(cgroup);
	if ((__u32)BPF_CORE_READ(cgroup, level) < config.filter_cgroup_level)
		return false;
	return ancestor_id(cgroup, (__u64)config.filter_cgroup_level * 8) == config.filter_cgroup;
}

/*
 * opening: the tracepoint's CLOSED→SYN-SENT comes before connect() has chosen
 * the local port, so it passes. So does the transition out of SYN-SENT, from
 * which user space learns that the socket it has seen isn't wanted.
 */
static __always_inline bool wanted(const struct identity *id, bool opening)
{
	if (config.filter_family) {
		bool v4 = id->family == AF_INET || v4mapped(id->peer_address) ||
			  v4mapped(id->local_address);

		if (v4 != (config.filter_family == 4))
			return false;
	}
	if (config.filter_netns && id->netns != config.filter_netns)
		return false;
	if (config.filter_local_port && !opening && !port_in(&local_ports, id->local_port) &&
	    (config.filter_local_port != TCPSTATE_PORT_EITHER ||
	     !port_in(&local_ports, id->peer_port)))
		return false;
	if (config.filter_peer_port && !port_in(&peer_ports, id->peer_port))
		return false;
	if (config.filter_local_network && !network_has(&local_networks, id->local_address))
		return false;
	if (config.filter_peer_network && !network_has(&peer_networks, id->peer_address))
		return false;
	return true;
}

static __always_inline bool unspecified(const __u8 *address)
{
	const __u32 *words = (const __u32 *)address;

	return words[0] == 0 && words[1] == 0 && words[3] == 0 &&
	       (words[2] == 0 || words[2] == bpf_htonl(0xffff));
}

/*
 * A listener is wanted if one of its children can be: a child has its listener's
 * owner until it is accepted. A listener has no peer, its address may stand for
 * all of them, and on :: it accepts IPv4 too. User space doesn't show those that
 * pass only because of that.
 */
static __always_inline bool wanted_listener(const struct identity *id)
{
	bool everywhere = unspecified(id->local_address);

	if (config.filter_family) {
		bool v4 = id->family == AF_INET || v4mapped(id->local_address);

		if (config.filter_family == 4 ? !v4 && !everywhere : v4)
			return false;
	}
	if (config.filter_netns && id->netns != config.filter_netns)
		return false;
	/* With either end's port, a child's peer decides. */
	if (config.filter_local_port == TCPSTATE_PORT_LOCAL &&
	    !port_in(&local_ports, id->local_port))
		return false;
	if (config.filter_local_network && !everywhere &&
	    !network_has(&local_networks, id->local_address))
		return false;
	return true;
}

#endif
