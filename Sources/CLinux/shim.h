/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <linux/sock_diag.h>
#include <malloc.h>
#include <mntent.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

/* <sched.h> declares these only under _GNU_SOURCE, which a module can't define. */
int setns(int fd, int nstype);
enum { TCPSTATE_CLONE_NEWNET = 0x40000000, TCPSTATE_CLONE_THREAD = 0x10000 };

/* <fcntl.h> likewise; the kernel's value on all our architectures. */
enum { TCPSTATE_O_PATH = 010000000 };

/* <sys/mman.h> and <fcntl.h> likewise; the values are the kernel's. */
int memfd_create(const char *name, unsigned int flags);
enum {
	TCPSTATE_MFD_CLOEXEC_ALLOW_SEALING = 3,
	TCPSTATE_F_ADD_SEALS = 1033,
	/* no writing, growing, shrinking or further seals */
	TCPSTATE_F_SEAL_ALL = 15,
};

/* glibc exports these without declaring them; <linux/capability.h> has the structs. */
int capget(cap_user_header_t header, cap_user_data_t data);
int capset(cap_user_header_t header, const cap_user_data_t data);
enum { TCPSTATE_CAPABILITY_VERSION = _LINUX_CAPABILITY_VERSION_3 };

/* prctl() is variadic, so Swift can't call it. */
static inline int tcpstate_forbid_dumps(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Of this thread. glibc's are for sets of a fixed size, and declared under _GNU_SOURCE only; `get` returns the bytes written. */
static inline long tcpstate_get_affinity(void *mask, size_t size)
{
	return syscall(SYS_sched_getaffinity, 0, size, mask);
}

static inline long tcpstate_set_affinity(const void *mask, size_t size)
{
	return syscall(SYS_sched_setaffinity, 0, size, mask);
}

/* For memory that the kernel reads and writes at the same time. */
static inline uint64_t tcpstate_load_acquire_u64(const void *p)
{
	return __atomic_load_n((const uint64_t *)p, __ATOMIC_ACQUIRE);
}

static inline uint32_t tcpstate_load_acquire_u32(const void *p)
{
	return __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);
}

static inline void tcpstate_store_release_u64(void *p, uint64_t value)
{
	__atomic_store_n((uint64_t *)p, value, __ATOMIC_RELEASE);
}

static inline void tcpstate_store_release_u32(void *p, uint32_t value)
{
	__atomic_store_n((uint32_t *)p, value, __ATOMIC_RELEASE);
}

/* Handlers are pointers that Swift can't compare. */
static inline int tcpstate_is_ignored(int signal_number)
{
	struct sigaction action;

	return sigaction(signal_number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* The kind of the namespace that the descriptor is of: CLONE_NEWNET or another; -1 if it is of none. */
static inline int tcpstate_namespace_type(int fd)
{
	return ioctl(fd, NS_GET_NSTYPE);
}

/*
 * A descriptor of this process's namespace of the kind that the number stands
 * for (PIDFD_GET_*_NAMESPACE, include/uapi/linux/pidfd.h; Linux 6.11), without
 * /proc; -1 with errno set.
 */
static inline int tcpstate_own_namespace(int number)
{
	int process = syscall(SYS_pidfd_open, getpid(), 0);
	int namespace = process < 0 ? -1 : ioctl(process, _IO(0xff, number), 0);

	if (process >= 0)
		close(process);
	return namespace;
}

/* What seccomp(2) calls this machine. */
static inline uint32_t tcpstate_architecture(void)
{
#if defined(__x86_64__)
	return AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
	return AUDIT_ARCH_AARCH64;
#else
#error "which architecture?"
#endif
}

/* From now on exec(2) gives no rights that this process doesn't have. */
static inline int tcpstate_forbid_new_privileges(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Filters the system calls of this thread, and of those that it starts (seccomp(2)). */
static inline int tcpstate_filter_calls(const struct sock_filter *instructions,
					unsigned short count)
{
	struct sock_fprog program = { count, (struct sock_filter *)instructions };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

/*
 * fork(2), which Swift hides because a child of a process with threads can do
 * little. Only for a process that has none.
 */
static inline int tcpstate_fork(void)
{
	return fork();
}
