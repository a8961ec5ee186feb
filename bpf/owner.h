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
	__builtin_memcpy(e->owner_name, owner->name, sizeof(e->owner_name));
}

/*
 * The owner opens the socket (connect, listen) or ends its sending (close,
 * shutdown): then the process that holds the lock also holds the descriptor.
 * That isn't so when ss -K or a disconnect ends a connection.
 */
static __always_inline bool acts_as_owner(int state_old, int state_new)
{
	return state_old == TCP_CLOSE ||
	       ((state_old == TCP_ESTABLISHED || state_old == TCP_CLOSE_WAIT) &&
		(state_new == TCP_FIN_WAIT1 || state_new == TCP_LAST_ACK));
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
	return acts_as_owner(e->state_old, e->state_new);
}

/* Without storage user space remembers the owner from what this records. */
static __always_inline void own_by_act(struct tcpstate_event *e, bool acts)
{
	if (acts) {
		e->owner_pid = e->actor_pid;
		__builtin_memcpy(e->owner_name, e->actor_name, sizeof(e->owner_name));
	} else {
		e->owner_pid = 0;
		__builtin_memset(e->owner_name, 0, sizeof(e->owner_name));
	}
}

static __always_inline void own_by_storage(struct tcpstate_event *e, const struct sock *sk,
					   bool acts)
{
	bool keeps = acts && e->state_new == TCP_LISTEN && shares_port(sk);
	struct owner *owner = bpf_sk_storage_get(&owners, (void *)sk, 0,
						 keeps ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);

	if (!owner) {
		own_by_act(e, acts);
		return;
	}
	if (acts && owner->pid != e->actor_pid) {
		owner->pid = e->actor_pid;
		__builtin_memcpy(owner->name, e->actor_name, sizeof(owner->name));
	}
	e->owner_pid = owner->pid;
	__builtin_memcpy(e->owner_name, owner->name, sizeof(e->owner_name));
}

#endif
