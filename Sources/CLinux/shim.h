#include <linux/capability.h>
#include <malloc.h>
#include <mntent.h>
#include <sched.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

/* <sched.h> declares these only under _GNU_SOURCE, which a module can't define. */
int setns(int fd, int nstype);
enum { TCPSTATE_CLONE_NEWNET = 0x40000000 };

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
