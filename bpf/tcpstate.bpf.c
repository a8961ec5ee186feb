// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The kernel side of tcpstate-trace: every state transition of every TCP
 * socket becomes a record in a ring buffer. The only state kept here is which
 * process reads from a socket; durations, and which process owns what, are the
 * consumer's work.
 *
 * Files named .bpf.h have programs in them and belong to this one.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#include "maps.h"
#include "filter.h"

#define RECORD(name) name##_direct
#define READ(pointer, field) ((pointer)->field)
#define READ_BYTES(to, pointer, field) __builtin_memcpy(to, &(pointer)->field, 16)
#include "record.h"
#undef RECORD
#undef READ
#undef READ_BYTES

#define RECORD(name) name##_probed
#define READ(pointer, field) BPF_CORE_READ(pointer, field)
#define READ_BYTES(to, pointer, field) bpf_core_read(to, 16, &(pointer)->field)
#include "record.h"
#undef RECORD
#undef READ
#undef READ_BYTES

#include "minisock.h"
#include "owner.h"
#include "reset.h"
#include "ring.h"

#include "transition.bpf.h"
#include "snapshot.bpf.h"
#include "aggregate.bpf.h"

/*
 * A child inherits its listener's owner, which is wrong where one process
 * listens and another serves (pre-fork servers). The process that reads from a
 * socket holds it.
 */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(reader, struct sock *sk)
{
	__u32 pid = current_id();
	struct owner *owner = bpf_sk_storage_get(&owners, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!owner || (owner->pid == pid && owner->reader))
		return 0;
	current_process(&owner->pid, owner->name);
	owner->reader = 1;
	return 0;
}

/*
 * A half-open request isn't a socket yet: it has no transition until the last
 * ACK of the handshake comes. One that waits longer is seen here.
 */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(syn_ack, const struct sock *listener, const struct request_sock *request)
{
	struct tcp_request_sock *req = (void *)request;
	struct tcpstate_event *e;
	struct identity id;
	struct owner *owner;

	if (listener->sk_protocol != IPPROTO_TCP)
		return 0;
	identify_common(&id, &request->__req_common);
	if (!wanted(&id, false))
		return 0;
	if (config.filter_cgroup && !in_cgroup(listener->sk_cgrp_data.cgroup))
		return 0;
	e = reserve();
	if (!e)
		return 0;
	__builtin_memset(e, 0, sizeof(*e));
	e->timestamp_ns = bpf_ktime_get_ns();
	fill_minisock(e, &id, &request->__req_common, TCPSTATE_KIND_SYN_ACK, TCP_NEW_SYN_RECV);
	e->user_id = listener->sk_uid.val;
	e->retransmits = BPF_CORE_READ(req, req.req.num_retrans);
	e->timeouts = BPF_CORE_READ_BITFIELD_PROBED(&req->req.req, num_timeout);
	e->total_rto_time_ms = request_age_us(req, e->timestamp_ns) / 1000;
	e->send_unacknowledged = BPF_CORE_READ(req, snt_isn);
	e->send_next = e->send_unacknowledged + 1;
	e->receive_next = BPF_CORE_READ(req, rcv_nxt);
	owner = bpf_sk_storage_get(&owners, (void *)listener, 0, 0);
	if (owner) {
		e->owner_pid = owner->pid;
		__builtin_memcpy(e->owner_name, owner->name, sizeof(e->owner_name));
	}
	submit(e, this_cpu(), true);
	return 0;
}

/*
 * A RST that we send for a socket that is already closed shows why it was
 * closed. The transition's error doesn't: it is the same as for a received reset.
 */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(reset_sent, const struct sock *sk)
{
	struct tcpstate_event *e;
	struct identity id;
	__u8 state;

	if (!sk)
		return 0;
	state = sk->__sk_common.skc_state;
	if (state != TCP_CLOSE && state != TCP_TIME_WAIT)
		return 0;
	identify_common(&id, &sk->__sk_common);
	if (!wanted(&id, id.local_port == 0))
		return 0;
	e = reserve();
	if (!e)
		return 0;
	__builtin_memset(e, 0, sizeof(*e));
	e->timestamp_ns = bpf_ktime_get_ns();
	fill_minisock(e, &id, &sk->__sk_common, TCPSTATE_KIND_RESET_SENT, state);
	/* The third argument came with the enum. */
	if (bpf_core_type_exists(enum sk_rst_reason))
		e->reset_reason = reset_reason(ctx[2]);
	submit(e, this_cpu(), true);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
