// SPDX-License-Identifier: Apache-2.0
// Attaches a program that does nothing to the tracepoint sock:inet_sock_set_state, the way the tracer's is attached: what is
// left of a tracer's cost when its own work is taken away. Says "attached", and ends with SIGINT or SIGTERM.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>

int main(void)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const int type = libbpf_find_vmlinux_btf_id("inet_sock_set_state", BPF_TRACE_RAW_TP);
	if (type < 0) {
		fprintf(stderr, "noop: the kernel has no type of the tracepoint: %d\n", type);
		return 1;
	}
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP,
		    .attach_btf_id = type);
	const int loaded =
		bpf_prog_load(BPF_PROG_TYPE_TRACING, "noop", "GPL", program, 2, &options);
	const int attached = loaded < 0 ? loaded : bpf_raw_tracepoint_open(NULL, loaded);
	if (attached < 0) {
		perror("noop: can't be attached");
		return 1;
	}
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	fputs("attached\n", stderr);
	int which;
	return sigwait(&ends, &which);
}
