/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which process acts on a socket, and whether that makes it the owner. */
#ifndef TCPSTATE_OWNER_H
#define TCPSTATE_OWNER_H

#include "maps.h"

#define MAX_PID_LEVEL 32 /* MAX_PID_NS_LEVEL, include/linux/pid_namespace.h */

/*
 * A process's id in the reader's PID namespace. A process that isn't in it
 * keeps the initial namespace's, marked, so that two of them stay distinct.
 */
static __always_inline __u32 id_in_namespace(struct task_struct *leader, __u32 tgid)
{
	struct pid *pid = BPF_CORE_READ(leader, thread_pid);
	__u32 deepest = pid ? BPF_CORE_READ(pid, level) : 0;

	for (__u32 level = 1; level <= MAX_PID_LEVEL; level++) {
		struct upid own = {};

		if (level > deepest)
			break;
		if (bpf_probe_read_kernel(&own, sizeof(own),
					  (const char *)&pid->numbers + level * sizeof(own)))
			break;
		if (BPF_CORE_READ(own.ns, ns.inum) == config.pid_namespace)
			return own.nr;
	}
	return tgid | TCPSTATE_PID_OUTSIDE;
}

/* The running process's id. */
static __always_inline __u32 current_id(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (config.pid_namespace) {
		struct task_struct *task = (void *)bpf_get_current_task();

		return id_in_namespace(BPF_CORE_READ(task, group_leader), tgid);
	}
	return tgid;
}

/* The running process: its name, not the thread's. */
static __always_inline void current_process(__u32 *pid, __u8 *name)
{
	*pid = current_id();
	if (config.plain) {
		struct task_struct *task = (void *)bpf_get_current_task();
		struct task_struct *leader = BPF_CORE_READ(task, group_leader);

		bpf_core_read(name, TCPSTATE_NAME_LENGTH, &leader->comm);
	} else {
		struct task_struct *task = bpf_get_current_task_btf();

		__builtin_memcpy(name, task->group_leader->comm, TCPSTATE_NAME_LENGTH);
	}
}

/*
 * Whether a kernel thread works on one of MPTCP's connections: it opens and
 * closes those after the first, on behalf of whoever holds the MPTCP socket.
 */
static __always_inline bool mptcp_worker(struct tcp_sock *tp, bool probing)
{
	struct task_struct *task;

	if (!bpf_core_field_exists(tp->is_mptcp))
		return false;
	if (!(probing ? BPF_CORE_READ(tp, is_mptcp) : tp->is_mptcp))
		return false;
	task = (void *)bpf_get_current_task();
	return BPF_CORE_READ(task, flags) & PF_KTHREAD;
}

/* The MPTCP socket above one of its TCP connections. */
static __always_inline __u64 mptcp_above(struct tcp_sock *tp)
{
	struct mptcp_subflow_context *subflow;

	subflow = (void *)BPF_CORE_READ(tp, inet_conn.icsk_ulp_data);
	/* A kernel may have no MPTCP, and then not the type. */
	if (!bpf_core_field_exists(subflow->conn))
		return 0;
	return subflow ? (__u64)BPF_CORE_READ(subflow, conn) : 0;
}

/* MPTCP has events of its own, of which only that a process opens or ends a socket counts here. */
static __always_inline void note_mptcp(const struct sock *sk, int state_old, int state_new)
{
	struct owner owner = {};
	__u64 address = (__u64)sk;

	if (sk->sk_protocol != IPPROTO_MPTCP || config.plain || state_old == state_new)
		return;
	shared.mptcp_changes++; /* only whether it changes counts */
	if (state_new == TCP_CLOSE) {
		bpf_map_delete_elem(&mptcp_owners, &address);
	} else if (state_old == TCP_CLOSE && sk->sk_lock.owned) {
		current_process(&owner.pid, owner.name);
		owner.kind = TCPSTATE_OWNER_OPENER;
		bpf_map_update_elem(&mptcp_owners, &address, &owner, 0);
	}
}

/* The owner of a TCP connection that a kernel thread has opened below an MPTCP socket. */
static __always_inline void own_by_mptcp(struct tcpstate_event *e, struct tcp_sock *tp)
{
	__u64 address = mptcp_above(tp);
	struct owner *owner = bpf_map_lookup_elem(&mptcp_owners, &address);

	if (!owner)
		return;
	e->owner_pid = owner->pid;
	e->owner_kind = owner->kind;
	__builtin_memcpy(e->owner_name, owner->name, sizeof(e->owner_name));
}

/*
 * The owner opens the socket (connect, listen), ends its sending (close,
 * shutdown) or aborts it (close with unread data or without lingering, connect to
 * AF_UNSPEC): then the process that holds the lock also holds the descriptor. That
 * isn't so when an error ends a connection: ss -K sets one, and so does a reset
 * that is handled while a process releases the lock.
 */
static __always_inline bool acts_as_owner(const struct tcpstate_event *e)
{
	if (e->state_old == TCP_CLOSE)
		return true;
	if (e->state_old != TCP_ESTABLISHED && e->state_old != TCP_CLOSE_WAIT)
		return false;
	return e->state_new == TCP_FIN_WAIT1 || e->state_new == TCP_LAST_ACK ||
	       (e->state_new == TCP_CLOSE && !e->error);
}

/*
 * A process that ends a connection by looking at it doesn't own it.
 * snapshot_files holds each descriptor's file while it looks at the socket. If
 * the owner closes it at that moment, the reader has the last reference, so it
 * carries out the close(). Only user space knows whether the socket is the
 * reader's own.
 */
static __always_inline bool owner_acts(struct tcpstate_event *e)
{
	if (!(e->flags & TCPSTATE_FLAG_OWNED) || !e->actor_pid)
		return false;
	if (e->state_old != TCP_CLOSE && e->actor_pid == shared.reader_pid) {
		e->flags |= TCPSTATE_FLAG_BY_TRACER;
		return false;
	}
	return acts_as_owner(e);
}

/*
 * Why a process's call closed the socket without sending anything. The kernel
 * leaves no error in the socket then, so what connect() has done so far shows how
 * far it got (tcp_v4_connect(), net/ipv4/tcp_ipv4.c): the local port, then the
 * hash for sending, a route for that port, the first sequence number, the SYN.
 */
static __always_inline __u16 silent_end(const struct tcpstate_event *e, struct tcp_sock *tp)
{
	if (e->state_new != TCP_CLOSE || !(e->flags & TCPSTATE_FLAG_OWNED))
		return 0;
	if (bpf_core_field_exists(tp->repair) && BPF_CORE_READ_BITFIELD_PROBED(tp, repair))
		return TCPSTATE_FLAG_REPAIR;
	if (e->state_old != TCP_SYN_SENT || e->error || e->segments_sent ||
	    e->flags & TCPSTATE_FLAG_RECEIVE_SHUTDOWN)
		return 0;
	if (!e->local_port || !BPF_CORE_READ(tp, SK.sk_txhash))
		return TCPSTATE_FLAG_NO_PORT;
	return e->write_sequence ? 0 : TCPSTATE_FLAG_NO_ROUTE;
}

/* Without storage user space remembers the owner from what this records. */
static __always_inline void own_by_act(struct tcpstate_event *e, bool acts)
{
	if (acts) {
		e->owner_pid = e->actor_pid;
		e->owner_kind =
			e->state_old == TCP_CLOSE ? TCPSTATE_OWNER_OPENER : TCPSTATE_OWNER_HOLDER;
		__builtin_memcpy(e->owner_name, e->actor_name, sizeof(e->owner_name));
	} else {
		e->owner_pid = 0;
		e->owner_kind = 0;
		__builtin_memset(e->owner_name, 0, sizeof(e->owner_name));
	}
}

static __always_inline void own_by_storage(struct tcpstate_event *e, const struct sock *sk,
					   bool acts)
{
	bool listens = acts && e->state_new == TCP_LISTEN;
	bool keeps = listens && shares_port(sk);
	struct owner *owner = bpf_sk_storage_get(&owners, (void *)sk, 0,
						 keeps ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);

	if (listens) {
		__u32 *pid = listener_pid(e->local_port);

		if (pid)
			*pid = e->actor_pid;
	}
	if (!owner) {
		own_by_act(e, acts);
		return;
	}
	if (acts && (owner->pid != e->actor_pid || owner->kind == TCPSTATE_OWNER_INHERITED)) {
		owner->pid = e->actor_pid;
		owner->kind = TCPSTATE_OWNER_HOLDER;
		__builtin_memcpy(owner->name, e->actor_name, sizeof(owner->name));
	}
	if (listens) { /* what its children get */
		own_by_act(e, true);
		owner->kind = TCPSTATE_OWNER_INHERITED;
		return;
	}
	e->owner_pid = owner->pid;
	e->owner_kind = owner->kind;
	__builtin_memcpy(e->owner_name, owner->name, sizeof(e->owner_name));
}

#endif
