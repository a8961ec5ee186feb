// SPDX-License-Identifier: Apache-2.0
/*
 * Makes one system call of a program fail.
 *
 *   inject count FILE -- PROGRAM ARGUMENT...
 *   inject fail CALL FAULT NTH once|on -- PROGRAM ARGUMENT...
 *
 * The first counts the calls of the program and its threads, one line "CALL COUNT" each in FILE. The second lets the NTH
 * call of that name (from 1), or with "on" that and all later ones, fail with FAULT: an error such as ENOSPC, or "short",
 * which halves the number of bytes asked for. Calls of the dynamic loader don't count, nor do those of child processes.
 * Exits as the program does, by the same signal if it is killed.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_CALLS 512
#define MOST_THREADS 256

static const struct {
	const char *name;
	long number;
	/* The argument that is a number of bytes, or -1. */
	int bytes;
} calls[] = {
	{ "read", SYS_read, 2 },
	{ "pread64", SYS_pread64, 2 },
	{ "write", SYS_write, 2 },
	{ "writev", SYS_writev, -1 },
	{ "sendto", SYS_sendto, 2 },
	{ "sendmsg", SYS_sendmsg, -1 },
	{ "openat", SYS_openat, -1 },
	{ "close", SYS_close, -1 },
	{ "fstat", SYS_fstat, -1 },
	{ "newfstatat", SYS_newfstatat, -1 },
	{ "fstatfs", SYS_fstatfs, -1 },
	{ "statfs", SYS_statfs, -1 },
	{ "lseek", SYS_lseek, -1 },
	{ "fcntl", SYS_fcntl, -1 },
	{ "flock", SYS_flock, -1 },
	{ "ftruncate", SYS_ftruncate, -1 },
	{ "fchown", SYS_fchown, -1 },
	{ "fsync", SYS_fsync, -1 },
	{ "renameat2", SYS_renameat2, -1 },
	{ "unlinkat", SYS_unlinkat, -1 },
	{ "readlinkat", SYS_readlinkat, -1 },
	{ "getdents64", SYS_getdents64, 2 },
	{ "mmap", SYS_mmap, -1 },
	{ "mremap", SYS_mremap, -1 },
	{ "mprotect", SYS_mprotect, -1 },
	{ "brk", SYS_brk, -1 },
	{ "madvise", SYS_madvise, -1 },
	{ "memfd_create", SYS_memfd_create, -1 },
	{ "bpf", SYS_bpf, -1 },
	{ "perf_event_open", SYS_perf_event_open, -1 },
	{ "setns", SYS_setns, -1 },
	{ "socket", SYS_socket, -1 },
	{ "connect", SYS_connect, -1 },
	{ "pipe2", SYS_pipe2, -1 },
	{ "clone", SYS_clone, -1 },
	{ "clone3", SYS_clone3, -1 },
	{ "wait4", SYS_wait4, -1 },
	{ "ioctl", SYS_ioctl, -1 },
	{ "epoll_create1", SYS_epoll_create1, -1 },
	{ "epoll_ctl", SYS_epoll_ctl, -1 },
	{ "epoll_pwait", SYS_epoll_pwait, -1 },
	{ "ppoll", SYS_ppoll, -1 },
	{ "signalfd4", SYS_signalfd4, -1 },
	{ "prctl", SYS_prctl, -1 },
	{ "capset", SYS_capset, -1 },
	{ "capget", SYS_capget, -1 },
	{ "rt_sigaction", SYS_rt_sigaction, -1 },
	{ "rt_sigprocmask", SYS_rt_sigprocmask, -1 },
	{ "getrandom", SYS_getrandom, 1 },
	{ "sched_getaffinity", SYS_sched_getaffinity, -1 },
#ifdef __x86_64__
	{ "open", SYS_open, -1 },
	{ "pipe", SYS_pipe, -1 },
	{ "poll", SYS_poll, -1 },
	{ "epoll_wait", SYS_epoll_wait, -1 },
	{ "rename", SYS_rename, -1 },
	{ "unlink", SYS_unlink, -1 },
	{ "readlink", SYS_readlink, -1 },
	{ "access", SYS_access, -1 },
	{ "vfork", SYS_vfork, -1 },
#endif
};
#define CALLS ((int)(sizeof(calls) / sizeof(*calls)))

static const struct {
	const char *name;
	int number;
} errors[] = {
	{ "EINTR", EINTR },   { "ENOSPC", ENOSPC }, { "EIO", EIO },	  { "EMFILE", EMFILE },
	{ "ENOMEM", ENOMEM }, { "EPERM", EPERM },   { "EAGAIN", EAGAIN },
};

static unsigned long counts[CALLS];
static pid_t program;
/* Whether main() has begun. */
static int begun;

/* What is to fail; -1 for nothing. */
static int failing = -1;
static int failure;
static int shortens;
static unsigned long nth;
static int goes_on;

/* Threads in the middle of a call that is to fail. */
static struct call {
	pid_t thread;
	/* Whether its result is an error of ours. */
	int fails;
	/* Whether an argument was changed, which the caller expects to keep. */
	int changed;
	int argument;
	unsigned long value;
} threads[MOST_THREADS];

static void give_up(const char *what)
{
	perror(what);
	if (program > 0)
		kill(program, SIGKILL);
	exit(125);
}

static struct call *call_of(pid_t thread)
{
	int i;

	for (i = 0; i < MOST_THREADS; i++) {
		if (threads[i].thread == thread)
			return &threads[i];
		if (!threads[i].thread) {
			threads[i].thread = thread;
			return &threads[i];
		}
	}
	errno = ENOSPC;
	give_up("threads");
	return NULL;
}

#ifdef __x86_64__
static void change(pid_t thread, int argument, unsigned long value)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, thread, 0, &registers))
		return;
	if (argument == 2)
		registers.rdx = value;
	else if (argument == 1)
		registers.rsi = value;
	else if (argument == 0)
		registers.rdi = value;
	else
		registers.orig_rax = value;
	ptrace(PTRACE_SETREGS, thread, 0, &registers);
}

static void set_result(pid_t thread, long result)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, thread, 0, &registers))
		return;
	registers.rax = result;
	ptrace(PTRACE_SETREGS, thread, 0, &registers);
}
#else
static void change(pid_t thread, int argument, unsigned long value)
{
	struct user_regs_struct registers;
	struct iovec all = { &registers, sizeof(registers) };
	int number = value;
	struct iovec one = { &number, sizeof(number) };

	if (argument < 0) {
		ptrace(PTRACE_SETREGSET, thread, NT_ARM_SYSTEM_CALL, &one);
		return;
	}
	if (ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &all))
		return;
	registers.regs[argument] = value;
	ptrace(PTRACE_SETREGSET, thread, NT_PRSTATUS, &all);
}

static void set_result(pid_t thread, long result)
{
	struct user_regs_struct registers;
	struct iovec all = { &registers, sizeof(registers) };

	if (ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &all))
		return;
	registers.regs[0] = result;
	ptrace(PTRACE_SETREGSET, thread, NT_PRSTATUS, &all);
}
#endif

static void keep(pid_t thread, int argument, unsigned long value)
{
	struct call *call = call_of(thread);

	call->changed = 1;
	call->argument = argument;
	call->value = value;
}

static void enter(pid_t thread, const struct __ptrace_syscall_info *info)
{
	unsigned long number = info->entry.nr;
	int i;

	/* The program's first own call looks whether standard input is open. */
	if (!begun && number == SYS_fcntl && info->entry.args[0] == 0 && info->entry.args[1] == 1)
		begun = 1;
	if (!begun)
		return;
	for (i = 0; i < CALLS && (unsigned long)calls[i].number != number; i++)
		;
	if (i == CALLS)
		return;
	counts[i]++;
	if (i != failing || counts[i] < nth || (counts[i] > nth && !goes_on))
		return;
	if (number == SYS_brk) {
		/* It has no errors; where there is no memory, it changes nothing, as with 0. */
		keep(thread, 0, info->entry.args[0]);
		change(thread, 0, 0);
	} else if (!shortens) {
		/* Linux closes the descriptor whatever close() returns. */
		if (number != SYS_close)
			change(thread, -1, -1);
		call_of(thread)->fails = 1;
	} else if (calls[i].bytes >= 0 && info->entry.args[calls[i].bytes] > 1) {
		keep(thread, calls[i].bytes, info->entry.args[calls[i].bytes]);
		change(thread, calls[i].bytes, info->entry.args[calls[i].bytes] / 2);
	}
}

static void at_call(pid_t thread)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		enter(thread, &info);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		struct call *call = call_of(thread);

		if (call->fails)
			set_result(thread, -failure);
#ifdef __x86_64__
		/* On arm64 the first argument's register has the result. */
		if (call->changed)
			change(thread, call->argument, call->value);
#else
		if (call->changed && call->argument > 0)
			change(thread, call->argument, call->value);
#endif
		call->fails = 0;
		call->changed = 0;
	}
}

/* Follows the program until it ends; returns how, as waitpid() has it. */
static int follow(void)
{
	int status;
	pid_t thread;

	while ((thread = waitpid(-1, &status, __WALL)) > 0) {
		int signal = 0;

		if (!WIFSTOPPED(status)) {
			if (thread == program)
				return status;
			continue;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			at_call(thread);
		else if (status >> 16 == PTRACE_EVENT_STOP && WSTOPSIG(status) != SIGTRAP) {
			ptrace(PTRACE_LISTEN, thread, 0, 0);
			continue;
		} else if (status >> 16 == 0)
			signal = WSTOPSIG(status);
		ptrace(PTRACE_SYSCALL, thread, 0, signal);
	}
	give_up("waitpid");
	return 0;
}

static void start(char **arguments)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
			     PTRACE_O_EXITKILL;
	int ready[2];
	char byte;

	if (pipe2(ready, 02000000))
		give_up("pipe2");
	program = fork();
	if (program < 0)
		give_up("fork");
	if (program == 0) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) != 1)
			_exit(125);
		close(ready[0]);
		execvp(*arguments, arguments);
		_exit(125);
	}
	close(ready[0]);
	if (ptrace(PTRACE_SEIZE, program, 0, options) || ptrace(PTRACE_INTERRUPT, program, 0, 0))
		give_up("ptrace");
	if (write(ready[1], "", 1) != 1)
		give_up("write");
	close(ready[1]);
}

/* Ends as the program has ended. */
static int end(int status)
{
	struct rlimit none = { 0, 0 };

	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	setrlimit(RLIMIT_CORE, &none);
	signal(WTERMSIG(status), SIG_DFL);
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

static int look_up_fault(const char *name)
{
	size_t i;

	shortens = !strcmp(name, "short");
	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (!strcmp(errors[i].name, name))
			failure = errors[i].number;
	return shortens || failure;
}

static int write_counts(const char *path)
{
	FILE *file = fopen(path, "w");
	int i;

	if (!file)
		return -1;
	for (i = 0; i < CALLS; i++)
		if (counts[i])
			fprintf(file, "%s %lu\n", calls[i].name, counts[i]);
	return fclose(file);
}

int main(int argc, char **argv)
{
	int status;

	if (argc > 4 && !strcmp(argv[1], "count") && !strcmp(argv[3], "--")) {
		start(argv + 4);
		status = follow();
		if (write_counts(argv[2]))
			give_up(argv[2]);
		return end(status);
	}
	if (argc > 7 && !strcmp(argv[1], "fail") && !strcmp(argv[6], "--") &&
	    look_up_fault(argv[3])) {
		for (failing = CALLS - 1; failing >= 0; failing--)
			if (!strcmp(calls[failing].name, argv[2]))
				break;
		nth = strtoul(argv[4], NULL, 10);
		goes_on = !strcmp(argv[5], "on");
		if (failing >= 0) {
			start(argv + 7);
			return end(follow());
		}
	}
	fprintf(stderr, "inject count FILE -- PROGRAM ARGUMENT...\n"
			"inject fail CALL FAULT NTH once|on -- PROGRAM ARGUMENT...\n");
	return 125;
}
