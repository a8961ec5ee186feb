/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Which process takes a connection over from its listener. A child inherits its
 * listener's owner, which is wrong where one process listens and another serves
 * (pre-fork servers).
 */

/* The running process has the socket, and the consumer takes another one for its owner. */
static __always_inline void report_owner(struct sock *sk, __u8 kind)
{
	struct tcpstate_event *e;
	struct identity id;
	__u8 state = sk->__sk_common.skc_state;

	if (state == TCP_CLOSE || state == TCP_LISTEN)
		return;
	identify_common(&id, &sk->__sk_common);
	if (!wanted(&id, false))
		return;
	if (!wanted_member(sk, sk->sk_cgrp_data.cgroup))
		return;
	e = reserve();
	if (!e)
		return;
	__builtin_memset(e, 0, sizeof(*e));
	e->timestamp_ns = bpf_ktime_get_ns();
	fill_minisock(e, &id, &sk->__sk_common, TCPSTATE_KIND_OWNER, state);
	e->owner_kind = kind;
	current_process(&e->owner_pid, e->owner_name);
	submit(e, this_cpu(), false);
}

/* The process that the consumer takes for the owner of a server's socket; 0 if that isn't known here. */
static __always_inline __u32 presumed_owner(const struct sock *sk, const struct owner *owner)
{
	__u32 *pid;

	if (owner->pid)
		return owner->pid;
	pid = listener_pid(sk->__sk_common.skc_num);
	return pid ? *pid : 0;
}

/* The process that reads from a socket holds it. */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(reader, struct sock *sk)
{
	__u32 pid = current_id();
	struct owner *owner = bpf_sk_storage_get(&owners, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	__u32 presumed;

	if (!owner || (owner->pid == pid && owner->kind == TCPSTATE_OWNER_READER))
		return 0;
	note_member(sk, bpf_get_current_task_btf());
	presumed = presumed_owner(sk, owner);
	current_process(&owner->pid, owner->name);
	owner->kind = TCPSTATE_OWNER_READER;
	if (presumed && presumed != pid)
		report_owner(sk, TCPSTATE_OWNER_READER);
	return 0;
}

/*
 * The process that accepts a connection holds it. Only on kernels that let
 * programs run at the end of functions; elsewhere the consumer looks at
 * descriptors. The storage is what the first read would have made.
 */
SEC("fexit/inet_csk_accept")
int accepted(unsigned long long *ctx)
{
	struct sock *sk;
	struct owner *owner;
	__u32 presumed;

	/*
	 * Since 6.10 the function has two arguments instead of four; the result follows
	 * them. In assembly, because the compiler would make one load of both, from an
	 * address that the verifier rejects.
	 */
	if (bpf_core_type_exists(struct proto_accept_arg))
		asm volatile("%0 = *(u64 *)(%1 + 16)" : "=r"(sk) : "r"(ctx));
	else
		asm volatile("%0 = *(u64 *)(%1 + 32)" : "=r"(sk) : "r"(ctx));
	if (!sk || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	owner = bpf_sk_storage_get(&owners, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!owner)
		return 0;
	note_member(sk, bpf_get_current_task_btf());
	presumed = presumed_owner(sk, owner);
	current_process(&owner->pid, owner->name);
	owner->kind = TCPSTATE_OWNER_HOLDER;
	if (presumed && presumed != owner->pid)
		report_owner(sk, TCPSTATE_OWNER_HOLDER);
	return 0;
}
