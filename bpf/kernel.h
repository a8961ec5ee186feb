/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The parts of the kernel's structs that the programs read, and nothing else.
 *
 * libbpf relocates each access by name using the running kernel's BTF (CO-RE),
 * so order and size don't matter here. Fields that some kernels lack are guarded
 * with bpf_core_field_exists() where they are used. So small a selection needs
 * neither bpftool nor a generated vmlinux.h.
 */
#ifndef TCPSTATE_KERNEL_H
#define TCPSTATE_KERNEL_H

typedef signed char s8;
typedef unsigned char u8;
typedef short s16;
typedef unsigned short u16;
typedef int s32;
typedef unsigned int u32;
typedef long long s64;
typedef unsigned long long u64;

typedef u8 __u8;
typedef s16 __s16;
typedef u16 __u16;
typedef s32 __s32;
typedef u32 __u32;
typedef s64 __s64;
typedef u64 __u64;
typedef u16 __be16;
typedef u32 __be32;
typedef u16 __le16;
typedef u32 __le32;
typedef u64 __be64;
typedef u32 __wsum;
typedef u16 __sum16;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

/* include/uapi/linux/bpf.h */
enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_LPM_TRIE = 11,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_RINGBUF = 27,
};
#define BPF_F_NO_PREALLOC (1U << 0)
#define BPF_F_CLONE (1U << 9)
#define BPF_LOCAL_STORAGE_GET_F_CREATE (1ULL << 0)
#define BPF_RB_NO_WAKEUP (1ULL << 0)
#define BPF_RB_FORCE_WAKEUP (1ULL << 1)
#define BPF_RB_AVAIL_DATA 0

/* include/linux/socket.h, include/uapi/linux/in.h, include/net/tcp_states.h */
#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define IPPROTO_MPTCP 262
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_FIN_WAIT2 5
#define TCP_TIME_WAIT 6
#define TCP_CLOSE 7
#define TCP_CLOSE_WAIT 8
#define TCP_LAST_ACK 9
#define TCP_LISTEN 10
#define TCP_NEW_SYN_RECV 12
/* include/linux/sched.h */
#define PF_KTHREAD 0x00200000
/* include/net/sock.h */
#define SOCK_DEAD 0
#define SOCK_DONE 1
#define SOCK_KEEPOPEN 3
#define SOCK_LINGER 4
#define RCV_SHUTDOWN 1
#define SEND_SHUTDOWN 2

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

struct in6_addr {
	union {
		u8 u6_addr8[16];
		u32 u6_addr32[4];
	} in6_u;
};

struct ns_common {
	u32 inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	u16 skc_num;
	u16 skc_family;
	volatile u8 skc_state;
	u8 skc_reuseport : 1;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	unsigned long skc_flags;
	u32 skc_tw_rcv_nxt;
	u32 skc_tw_snd_nxt;
};

struct kernfs_node {
	u64 id;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
	/* The first since 6.1, the second before. */
	struct cgroup *ancestors[1];
	u64 ancestor_ids[1];
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

struct socket;
struct socket_wq;

typedef struct {
	int owned;
} socket_lock_t;

typedef struct {
	u32 val;
} kuid_t;

struct timer_list {
	unsigned long expires;
};

struct sock {
	struct sock_common __sk_common;
	socket_lock_t sk_lock;
	int sk_rx_dst_ifindex;
	int sk_err;
	struct socket *sk_socket;
	struct socket_wq *sk_wq;
	u16 sk_protocol;
	kuid_t sk_uid;
	u32 sk_txhash;
	u8 sk_shutdown;
	u32 sk_ack_backlog;
	u32 sk_max_ack_backlog;
	struct sock_cgroup_data sk_cgrp_data;
	struct timer_list tcp_retransmit_timer; /* 6.19 and newer */
} __attribute__((preserve_access_index));

/* An older kernel's file keeps a plain count, a newer one (6.14) a count that is one less. */
struct file {
	atomic64_t f_count;
	struct {
		atomic64_t refcnt;
	} f_ref;
};

struct socket {
	struct sock *sk;
	struct file *file;
};

struct list_head {
	struct list_head *next;
};

struct wait_queue_head {
	struct list_head head;
};

struct socket_wq {
	struct wait_queue_head wait;
};

struct inode {
	unsigned long i_ino;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct inet_sock {
	struct sock sk;
	__be16 inet_sport;
};

struct request_sock_queue {
	u8 rskq_defer_accept;
	atomic_t qlen;
};

struct inet_bind_bucket {
	signed char fastreuse;
	signed char fastreuseport;
};

struct tcp_congestion_ops {
	char name[16];
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	struct request_sock_queue icsk_accept_queue;
	struct inet_bind_bucket *icsk_bind_hash;
	struct timer_list icsk_retransmit_timer;
	struct timer_list icsk_delack_timer;
	u32 icsk_rto;
	struct tcp_congestion_ops *icsk_ca_ops;
	void *icsk_ulp_data;
	u8 icsk_retransmits;
	u8 icsk_pending;
	u8 icsk_backoff;
	u8 icsk_probes_out;
	u32 icsk_probes_tstamp;
	struct {
		u32 lrcvtime;
	} icsk_ack;
};

struct minmax_sample {
	u32 t;
	u32 v;
};

struct minmax {
	struct minmax_sample s[3];
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	u32 snd_wnd;
	u32 snd_cwnd;
	u32 copied_seq;
	u32 snd_ssthresh;
	u32 segs_out;
	u64 bytes_sent;
	u32 write_seq;
	u32 rcv_nxt;
	u32 snd_nxt;
	u32 snd_una;
	u32 srtt_us;
	u32 rcv_wnd;
	u32 rcv_tstamp;
	u32 lsndtime;
	u32 rto_stamp;
	u32 retrans_stamp;
	u8 tcp_usec_ts : 1;
	u64 delivered_mstamp;
	struct minmax rtt_min;
	u64 bytes_received;
	u32 segs_in;
	u64 bytes_acked;
	u64 bytes_retrans;
	u32 total_retrans;
	u32 total_rto_time;
	u8 repair : 1;
	int linger2;
	bool is_mptcp; /* with CONFIG_MPTCP */
};

struct mptcp_sock {
	u32 last_ack_recv; /* 6.10 and newer */
};

/* Below an MPTCP socket: what ties one of its TCP connections to it. */
struct mptcp_subflow_context {
	struct sock *conn;
};

struct inet_timewait_sock {
	struct sock_common __tw_common;
	u8 tw_substate;
	u32 tw_entry_stamp;
	struct timer_list tw_timer;
	struct inet_bind_bucket *tw_tb;
};

struct tcp_timewait_sock {
	struct inet_timewait_sock tw_sk;
	/* Before 6.10; since then they are in sock_common. */
	u32 tw_rcv_nxt;
	u32 tw_snd_nxt;
	u32 tw_ts_recent_stamp; /* an int in newer kernels */
};

struct request_sock {
	struct sock_common __req_common;
	u8 num_retrans;
	u8 num_timeout : 7;
	struct timer_list rsk_timer;
};

struct inet_request_sock {
	struct request_sock req;
	u16 acked : 1;
};

struct tcp_request_sock {
	struct inet_request_sock req;
	u64 snt_synack;
	u32 snt_isn;
	u32 rcv_nxt;
};

/* 6.10 and newer: the second argument of inet_csk_accept(). */
struct proto_accept_arg {
	int flags;
};

struct css_set {
	struct cgroup *dfl_cgrp; /* of cgroup v2 */
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

/* One process's or thread's id in each PID namespace that it is in, the initial one first. */
struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct task_struct {
	struct css_set *cgroups;
	unsigned int flags;
	int tgid;
	struct pid *thread_pid;
	char comm[16];
	struct task_struct *group_leader;
};

struct seq_file;

#pragma clang attribute pop

/*
 * The contexts of the iterators. Their layouts are fixed, so they aren't
 * relocated: that would cost some milliseconds at load.
 */
struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
	u32 uid;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd __attribute__((aligned(8)));
	struct file *file;
};

#endif
