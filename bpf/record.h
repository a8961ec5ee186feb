/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From a struct tcp_sock to a struct tcpstate_event.
 *
 * Included twice: as name_direct() for programs that may follow BTF pointers,
 * and as name_probed() for those that have to copy with probe reads. Define
 * before inclusion:
 *   RECORD(name)             the function's name in this variant
 *   READ(pointer, field)     reads one scalar field
 *   READ_BYTES(to, p, field) copies an array of 16 bytes
 *
 * Everything is reached from struct tcp_sock: each type from which a field is
 * reached costs libbpf half a millisecond at load, because it searches all of
 * the kernel's types for it.
 */

#ifndef SK
#define SK inet_conn.icsk_inet.sk
#endif

static __always_inline void RECORD(identify)(struct identity *id, struct tcp_sock *tp)
{
	struct net *net = READ(tp, SK.__sk_common.skc_net.net);

	id->family = READ(tp, SK.__sk_common.skc_family);
	id->local_port = bpf_ntohs(READ(tp, inet_conn.icsk_inet.inet_sport));
	id->peer_port = bpf_ntohs(READ(tp, SK.__sk_common.skc_dport));
	id->netns = READ(net, ns.inum);
	if (id->family == AF_INET) {
		__u32 *local = (__u32 *)id->local_address;
		__u32 *peer = (__u32 *)id->peer_address;

		local[0] = peer[0] = 0;
		local[1] = peer[1] = 0;
		local[2] = peer[2] = bpf_htonl(0xffff);
		local[3] = READ(tp, SK.__sk_common.skc_rcv_saddr);
		peer[3] = READ(tp, SK.__sk_common.skc_daddr);
	} else {
		READ_BYTES(id->local_address, tp, SK.__sk_common.skc_v6_rcv_saddr);
		READ_BYTES(id->peer_address, tp, SK.__sk_common.skc_v6_daddr);
	}
}

/* Everything except kind, states, time, cookie, losses, owner and actor, which the callers fill. */
static __always_inline void RECORD(fill)(struct tcpstate_event *e, const struct identity *id,
					 struct tcp_sock *tp)
{
	struct tcp_congestion_ops *ca = READ(tp, inet_conn.icsk_ca_ops);
	struct cgroup *cgroup = READ(tp, SK.sk_cgrp_data.cgroup);
	unsigned long sock_flags = READ(tp, SK.__sk_common.skc_flags);
	__u8 shutdown = READ(tp, SK.sk_shutdown);
	__u32 interface = READ(tp, SK.__sk_common.skc_bound_dev_if);
	__u16 flags = 0;

	e->version = TCPSTATE_EVENT_VERSION;
	e->error = READ(tp, SK.sk_err);
	e->socket_address = (__u64)tp;
	e->cgroup_id = 0;
	if (cgroup) {
		struct kernfs_node *kn = READ(cgroup, kn);

		e->cgroup_id = READ(kn, id);
	}
	__builtin_memcpy(e->local_address, id->local_address, 16);
	__builtin_memcpy(e->peer_address, id->peer_address, 16);
	e->local_port = id->local_port;
	e->peer_port = id->peer_port;
	e->netns = id->netns;
	e->timeouts = READ(tp, inet_conn.icsk_retransmits);
	e->backoff = READ(tp, inet_conn.icsk_backoff);
	e->reset_reason = 0;
	if (!interface && bpf_core_field_exists(tp->SK.sk_rx_dst_ifindex))
		interface = READ(tp, SK.sk_rx_dst_ifindex);
	e->interface_index = interface;
	e->user_id = READ(tp, SK.sk_uid.val);

	if (READ(tp, SK.sk_socket))
		flags |= TCPSTATE_FLAG_HAS_SOCKET;
	if (sock_flags & (1 << SOCK_DONE))
		flags |= TCPSTATE_FLAG_DONE;
	if (sock_flags & (1 << SOCK_DEAD))
		flags |= TCPSTATE_FLAG_DEAD;
	if (sock_flags & (1 << SOCK_LINGER))
		flags |= TCPSTATE_FLAG_LINGER;
	if (shutdown & SEND_SHUTDOWN)
		flags |= TCPSTATE_FLAG_SEND_SHUTDOWN;
	if (shutdown & RCV_SHUTDOWN)
		flags |= TCPSTATE_FLAG_RECEIVE_SHUTDOWN;

	e->bytes_sent = READ(tp, bytes_sent);
	e->bytes_retransmitted = READ(tp, bytes_retrans);
	e->bytes_received = READ(tp, bytes_received);
	e->bytes_acknowledged = READ(tp, bytes_acked);
	e->send_unacknowledged = READ(tp, snd_una);
	e->send_next = READ(tp, snd_nxt);
	e->write_sequence = READ(tp, write_seq);
	e->receive_next = READ(tp, rcv_nxt);
	e->copied_sequence = READ(tp, copied_seq);
	e->send_window = READ(tp, snd_wnd);
	e->receive_window = READ(tp, rcv_wnd);
	e->congestion_window = READ(tp, snd_cwnd);
	e->slow_start_threshold = READ(tp, snd_ssthresh);
	e->smoothed_rtt_us8 = READ(tp, srtt_us);
	e->rto_jiffies = READ(tp, inet_conn.icsk_rto);
	e->retransmits = READ(tp, total_retrans);
	e->segments_sent = READ(tp, segs_out);
	e->segments_received = READ(tp, segs_in);
	e->linger2 = READ(tp, linger2);
	e->total_rto_time_ms = 0;
	if (bpf_core_field_exists(tp->total_rto_time)) {
		e->total_rto_time_ms = READ(tp, total_rto_time);
		flags |= TCPSTATE_FLAG_HAS_RTO_TIME;
	}
	if (ca)
		READ_BYTES(e->congestion_control, ca, name);
	else
		__builtin_memset(e->congestion_control, 0, sizeof(e->congestion_control));
	e->flags = flags;
}
