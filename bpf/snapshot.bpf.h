/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The sockets that exist already. iter/task_file finds every socket that a
 * process holds, in all network namespaces at once. iter/tcp also finds those
 * without a descriptor and the minisocks, in one namespace per pass.
 */

static __always_inline bool state_wanted(__u8 state)
{
	return state < 32 && (shared.snapshot_states >> state & 1);
}

static __always_inline bool wanted_found(const struct identity *id, __u8 state)
{
	return state == TCP_LISTEN ? wanted_listener(id) : wanted(id, id->local_port == 0);
}

/* Where a record is put together: with what else is needed it is too large for the stack. */
static __always_inline struct tcpstate_snapshot *record_in_making(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&snapshot_scratch, &zero);
}

static __always_inline void start_snapshot(struct tcpstate_snapshot *s)
{
	__builtin_memset(s, 0, sizeof(*s));
	s->fd = TCPSTATE_NO_FD;
	s->jiffies = bpf_jiffies64();
	s->event.timestamp_ns = bpf_ktime_get_ns();
	s->event.lost_before = shared.lost;
}

/* A bucket that connect() made has a negative fastreuse; connect() skips all others. */
static __always_inline bool is_bound(struct inet_bind_bucket *bucket)
{
	return bucket && (bucket->fastreuse >= 0 || bucket->fastreuseport >= 0);
}

/* Whether a task sleeps in a system call on the socket, or an epoll set has it. */
static __always_inline bool is_awaited(struct tcp_sock *tp)
{
	struct socket_wq *queue = tp->SK.sk_wq;

	return queue && queue->wait.head.next != &queue->wait.head;
}

/* Whether close() is at work: it has put down the last reference to the file. */
static __always_inline bool is_released(struct tcp_sock *tp)
{
	struct file *file = tp->SK.sk_socket->file;

	if (!file)
		return false;
	if (bpf_core_field_exists(file->f_ref.refcnt))
		return file->f_ref.refcnt.counter < 0;
	return file->f_count.counter == 0;
}

/* Whether the socket's TCP timestamps, and so retrans_stamp, are in microseconds (Linux 6.7). */
static __always_inline bool uses_microseconds(struct tcp_sock *tp)
{
	return bpf_core_field_exists(tp->tcp_usec_ts) &&
	       BPF_CORE_READ_BITFIELD_PROBED(tp, tcp_usec_ts);
}

/* When something last came or went, and what the socket waits for. */
static __always_inline void fill_activity(struct tcpstate_snapshot *s, struct tcp_sock *tp)
{
	unsigned long sock_flags = tp->SK.__sk_common.skc_flags;

	s->ack_timer_jiffies = tp->inet_conn.icsk_delack_timer.expires;
	s->delivered_ms = tp->delivered_mstamp / 1000;
	s->last_data_received_jiffies = tp->inet_conn.icsk_ack.lrcvtime;
	s->last_data_sent_jiffies = tp->lsndtime;
	if (tp->rtt_min.s[0].v != ~0U) /* until there is one, the time is of socket() */
		s->least_rtt_jiffies = tp->rtt_min.s[0].t;
	s->probes = tp->inet_conn.icsk_probes_out;
	s->pending_timer = tp->inet_conn.icsk_pending;
	if (bpf_core_field_exists(tp->rto_stamp))
		s->first_timeout_ms = tp->rto_stamp;
	if (bpf_core_field_exists(tp->inet_conn.icsk_probes_tstamp))
		s->probing_since_jiffies = tp->inet_conn.icsk_probes_tstamp;
	if (sock_flags & (1 << SOCK_KEEPOPEN))
		s->details |= TCPSTATE_DETAIL_KEEPALIVE;
	if (is_bound(tp->inet_conn.icsk_bind_hash))
		s->details |= TCPSTATE_DETAIL_BOUND;
	if (!(s->event.flags & TCPSTATE_FLAG_HAS_SOCKET))
		return;
	if (is_awaited(tp))
		s->details |= TCPSTATE_DETAIL_AWAITED;
	if (is_released(tp))
		s->details |= TCPSTATE_DETAIL_RELEASED;
}

static __always_inline void fill_full_socket(struct tcpstate_snapshot *s, const struct identity *id,
					     struct tcp_sock *tp, __u8 state)
{
	fill_direct(&s->event, id, tp);
	s->event.kind = TCPSTATE_KIND_SOCKET;
	s->event.state_old = s->event.state_new = state;
	s->last_acked_jiffies = tp->rcv_tstamp;
	if (tp->inet_conn.icsk_pending) {
		if (bpf_core_field_exists(tp->inet_conn.icsk_retransmit_timer))
			s->timer_expires = tp->inet_conn.icsk_retransmit_timer.expires;
		else if (bpf_core_field_exists(tp->SK.tcp_retransmit_timer))
			s->timer_expires = tp->SK.tcp_retransmit_timer.expires;
	}
	fill_activity(s, tp);
	if (state == TCP_SYN_SENT && !uses_microseconds(tp))
		s->syn_sent_ms = tp->retrans_stamp;
	if (state == TCP_LISTEN) {
		s->defer_accept = tp->inet_conn.icsk_accept_queue.rskq_defer_accept;
		s->accept_queue = tp->SK.sk_ack_backlog;
		s->accept_queue_limit = tp->SK.sk_max_ack_backlog;
		s->request_queue = tp->inet_conn.icsk_accept_queue.qlen.counter;
	}
}

/* The record of a server's socket that only says which process holds it. */
static __always_inline bool start_holder(struct tcpstate_snapshot *s, struct socket *socket,
					 __u8 state)
{
	__u32 *pid = listener_pid(socket->sk->__sk_common.skc_num);

	if (!pid || !*pid || state == TCP_LISTEN)
		return false;
	__builtin_memset(s, 0, sizeof(*s));
	s->event.version = TCPSTATE_EVENT_VERSION;
	s->event.kind = TCPSTATE_KIND_SOCKET;
	s->event.state_old = s->event.state_new = state;
	s->event.timestamp_ns = bpf_ktime_get_ns();
	s->event.socket_address = (__u64)socket->sk;
	return true;
}

static __always_inline void note_listener(const struct tcpstate_snapshot *s, struct sock *sk)
{
	__u32 *pid = listener_pid(s->event.local_port);
	struct owner *owner;

	if (pid && !*pid)
		*pid = s->event.owner_pid;
	if (!shares_port(sk))
		return;
	owner = bpf_sk_storage_get(&owners, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (owner && !owner->pid) {
		owner->pid = s->event.owner_pid;
		owner->kind = TCPSTATE_OWNER_INHERITED;
		__builtin_memcpy(owner->name, s->event.owner_name, sizeof(owner->name));
	}
}

static __always_inline __u64 inode_of(struct socket *socket)
{
	struct socket_alloc *allocated = (void *)socket;

	return socket ? BPF_CORE_READ(allocated, vfs_inode.i_ino) : 0;
}

static __always_inline void name_holder(struct tcpstate_snapshot *s, struct task_struct *task)
{
	s->event.owner_pid =
		config.pid_namespace ? id_in_namespace(task->group_leader, task->tgid) : task->tgid;
	__builtin_memcpy(s->event.owner_name, task->group_leader->comm, TCPSTATE_NAME_LENGTH);
	s->event.owner_kind = TCPSTATE_OWNER_HOLDER;
}

/*
 * A process holds the MPTCP socket, and that the TCP connections below it:
 * iter/tcp lists these, with the address of the MPTCP socket, and no descriptor
 * refers to them. Each has ends of its own, so the filters on ends can't decide
 * here whether it is wanted.
 */
static __always_inline int write_mptcp(struct bpf_iter__task_file *ctx, struct task_struct *task,
				       struct sock *sk, __u8 state)
{
	struct tcpstate_snapshot *s = record_in_making();
	struct mptcp_sock *msk = (void *)sk;
	struct owner owner = {};
	struct cgroup *cgroup;
	struct identity id;

	if (!s || sk->sk_protocol != IPPROTO_MPTCP || state == TCP_CLOSE)
		return 0;
	if (shared.snapshot_holders_only)
		return 0;
	note_member(sk, task);
	identify_common(&id, &sk->__sk_common);
	if (config.filter_netns && id.netns != config.filter_netns)
		return 0;
	cgroup = sk->sk_cgrp_data.cgroup;
	if (!wanted_member(sk, cgroup))
		return 0;
	start_snapshot(s);
	fill_minisock(&s->event, &id, &sk->__sk_common, TCPSTATE_KIND_MPTCP, state);
	s->event.user_id = sk->sk_uid.val;
	s->event.flags = TCPSTATE_FLAG_HAS_SOCKET;
	if (cgroup)
		s->event.cgroup_id = BPF_CORE_READ(cgroup, kn, id);
	if (bpf_core_field_exists(msk->last_ack_recv))
		s->last_acked_jiffies = BPF_CORE_READ(msk, last_ack_recv);
	s->fd = ctx->fd;
	name_holder(s, task);
	owner.pid = s->event.owner_pid;
	owner.kind = s->event.owner_kind;
	__builtin_memcpy(owner.name, s->event.owner_name, sizeof(owner.name));
	bpf_map_update_elem(&mptcp_owners, &s->event.socket_address, &owner, 0);
	bpf_seq_write(ctx->meta->seq, s, sizeof(*s));
	return 0;
}

/* The MPTCP socket above a TCP connection; 0 for none. */
static __always_inline __u64 mptcp_socket(struct tcp_sock *tp)
{
	if (!bpf_core_field_exists(tp->is_mptcp) || !tp->is_mptcp)
		return 0;
	return mptcp_above(tp);
}

SEC("iter/task_file")
int snapshot_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct tcpstate_snapshot *s;
	struct identity id;
	struct socket *socket;
	struct tcp_sock *tp;
	__u8 state;

	if (!task || !file)
		return 0;
	shared.reader_pid = current_id();
	socket = bpf_sock_from_file(file);
	if (!socket || !socket->sk)
		return 0;
	/* The state first: other protocols' are alike, and reading the protocol touches more memory. */
	state = socket->sk->__sk_common.skc_state;
	/* Of MPTCP all: the TCP connections below may be in other states. */
	if (!state_wanted(state) && socket->sk->sk_protocol != IPPROTO_MPTCP)
		return 0;
	tp = bpf_skc_to_tcp_sock(socket->sk);
	if (!tp)
		return write_mptcp(ctx, task, socket->sk, state);
	/* Neither connected nor listening: of interest for the port that bind() has given it. */
	if (state == TCP_CLOSE && !is_bound(tp->inet_conn.icsk_bind_hash))
		return 0;
	s = record_in_making();
	if (!s)
		return 0;
	note_member(socket->sk, task);
	if (shared.snapshot_holders_only) {
		if (!start_holder(s, socket, state))
			return 0;
	} else {
		identify_direct(&id, tp);
		if (!wanted_found(&id, state))
			return 0;
		if (!wanted_member(socket->sk, tp->SK.sk_cgrp_data.cgroup))
			return 0;
		start_snapshot(s);
		fill_full_socket(s, &id, tp, state);
	}
	s->event.cookie = cookie_of(&socket->sk->__sk_common);
	s->fd = ctx->fd;
	name_holder(s, task);
	if (state == TCP_LISTEN)
		note_listener(s, socket->sk);
	bpf_seq_write(ctx->meta->seq, s, sizeof(*s));
	return 0;
}

static __always_inline bool fill_timewait(struct tcpstate_snapshot *s, const struct identity *id,
					  struct sock_common *skc)
{
	struct tcp_timewait_sock *tw = bpf_skc_to_tcp_timewait_sock(skc);
	__u8 state;

	if (!tw)
		return false;
	state = tw->tw_sk.tw_substate;
	if (!state_wanted(state)) /* its cgroup is gone; user space remembers it */
		return false;
	start_snapshot(s);
	fill_minisock(&s->event, id, skc, TCPSTATE_KIND_TIMEWAIT, state);
	s->timer_expires = tw->tw_sk.tw_timer.expires;
	if (is_bound(tw->tw_sk.tw_tb))
		s->details |= TCPSTATE_DETAIL_BOUND;
	if (tw->tw_ts_recent_stamp)
		s->details |= TCPSTATE_DETAIL_TIMESTAMPS;
	if (bpf_core_field_exists(tw->tw_sk.tw_entry_stamp)) {
		s->entry_stamp_ms = tw->tw_sk.tw_entry_stamp;
		s->event.flags |= TCPSTATE_FLAG_HAS_ENTRY_STAMP;
	}
	if (bpf_core_field_exists(skc->skc_tw_rcv_nxt)) {
		s->event.receive_next = skc->skc_tw_rcv_nxt;
		s->event.send_next = skc->skc_tw_snd_nxt;
	} else if (bpf_core_field_exists(tw->tw_rcv_nxt)) {
		s->event.receive_next = tw->tw_rcv_nxt;
		s->event.send_next = tw->tw_snd_nxt;
	}
	return true;
}

static __always_inline bool fill_request(struct tcpstate_snapshot *s, const struct identity *id,
					 struct sock_common *skc)
{
	struct tcp_request_sock *req = bpf_skc_to_tcp_request_sock(skc);

	if (!req || !state_wanted(TCP_NEW_SYN_RECV))
		return false;
	start_snapshot(s);
	fill_minisock(&s->event, id, skc, TCPSTATE_KIND_REQUEST, TCP_NEW_SYN_RECV);
	s->timer_expires = req->req.req.rsk_timer.expires;
	s->syn_ack_timeouts = BPF_CORE_READ_BITFIELD_PROBED(&req->req.req, num_timeout);
	s->event.retransmits = req->req.req.num_retrans;
	if (BPF_CORE_READ_BITFIELD_PROBED(&req->req, acked))
		s->details |= TCPSTATE_DETAIL_ACKED;
	s->request_age_us = request_age_us(req, s->event.timestamp_ns);
	s->event.receive_next = req->rcv_nxt;
	s->event.send_next = req->snt_isn + 1;
	s->event.send_unacknowledged = req->snt_isn;
	return true;
}

static __always_inline bool fill_listed_socket(struct tcpstate_snapshot *s, struct identity *id,
					       struct sock_common *skc, __u8 state)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(skc);

	if (!tp || !state_wanted(state))
		return false;
	identify_direct(id, tp); /* skc_num is 0 where the port was given back */
	if (!wanted_member((void *)tp, tp->SK.sk_cgrp_data.cgroup) &&
	    (tp->SK.sk_socket || !waits_at_member(id)))
		return false;
	start_snapshot(s);
	fill_full_socket(s, id, tp, state);
	s->event.cookie = cookie_of(skc);
	s->mptcp_socket = mptcp_socket(tp);
	if (config.plain) /* user space looks for its owners in /proc */
		s->socket_inode = inode_of(tp->SK.sk_socket);
	return true;
}

SEC("iter/tcp")
int snapshot_sockets(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tcpstate_snapshot s;
	struct identity id;
	bool filled;
	__u8 state;

	if (!skc) { /* the one more call at the end */
		shared.jiffies = bpf_jiffies64();
		shared.jiffies_time_ns = bpf_ktime_get_ns();
		return 0;
	}
	state = skc->skc_state;
	if (state == TCP_CLOSE)
		return 0;
	identify_common(&id, skc);
	if (!wanted_found(&id, state))
		return 0;
	if (state == TCP_TIME_WAIT)
		filled = fill_timewait(&s, &id, skc);
	else if (state == TCP_NEW_SYN_RECV)
		filled = fill_request(&s, &id, skc);
	else
		filled = !shared.snapshot_minisocks_only && fill_listed_socket(&s, &id, skc, state);
	if (filled)
		bpf_seq_write(ctx->meta->seq, &s, sizeof(s));
	return 0;
}
