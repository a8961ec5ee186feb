/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What full sockets, timewait and request minisocks have in common. */
#ifndef TCPSTATE_MINISOCK_H
#define TCPSTATE_MINISOCK_H

/*
 * Since 5.12 tracing programs may ask for a socket's cookie. The helper makes
 * one if there is none; usually there is, and reading it is cheaper.
 */
static __always_inline __u64 cookie_of(const struct sock_common *skc)
{
	__u64 cookie;

	if (config.plain)
		return 0;
	cookie = skc->skc_cookie.counter;
	return cookie ? cookie : bpf_get_socket_cookie((void *)skc);
}

/* From the part that full sockets and both kinds of minisocks share. */
static __always_inline void identify_common(struct identity *id, const struct sock_common *skc)
{
	id->family = skc->skc_family;
	id->local_port = skc->skc_num;
	id->peer_port = bpf_ntohs(skc->skc_dport);
	id->netns = skc->skc_net.net->ns.inum;
	if (id->family == AF_INET) {
		__u32 *local = (__u32 *)id->local_address;
		__u32 *peer = (__u32 *)id->peer_address;

		local[0] = peer[0] = 0;
		local[1] = peer[1] = 0;
		local[2] = peer[2] = bpf_htonl(0xffff);
		local[3] = skc->skc_rcv_saddr;
		peer[3] = skc->skc_daddr;
	} else {
		__builtin_memcpy(id->local_address, &skc->skc_v6_rcv_saddr, 16);
		__builtin_memcpy(id->peer_address, &skc->skc_v6_daddr, 16);
	}
}

static __always_inline void fill_minisock(struct tcpstate_event *e, const struct identity *id,
					  const struct sock_common *skc, __u8 kind, __u8 state)
{
	e->version = TCPSTATE_EVENT_VERSION;
	e->kind = kind;
	e->state_old = e->state_new = state;
	e->cookie = cookie_of(skc);
	e->socket_address = (__u64)skc;
	__builtin_memcpy(e->local_address, id->local_address, 16);
	__builtin_memcpy(e->peer_address, id->peer_address, 16);
	e->local_port = id->local_port;
	e->peer_port = id->peer_port;
	e->netns = id->netns;
	e->interface_index = skc->skc_bound_dev_if;
}

/* Time since the first SYN-ACK; 0 if that wasn't timed. snt_synack is in microseconds. */
static __always_inline __u32 request_age_us(const struct tcp_request_sock *req, __u64 now)
{
	__u64 sent = 0;
	__u64 age;

	bpf_core_read(&sent, sizeof(sent), &req->snt_synack);
	age = now / 1000 - sent;
	if (!sent || now / 1000 < sent)
		return 0;
	return age < 0xffffffff ? age : 0xffffffff; /* more than an hour: not less by a wrap */
}

#endif
