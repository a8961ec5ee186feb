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

/* <sched.h> hides these behind _GNU_SOURCE, which a module can't define. */
int setns(int fd, int nstype);
enum { TCPSTATE_CLONE_NEWNET = 0x40000000 };

/* <fcntl.h> likewise; the value is the kernel's for all our architectures. */
enum { TCPSTATE_O_PATH = 010000000 };

/* So do <sys/mman.h> and <fcntl.h> with these; the values are the kernel's. */
int memfd_create(const char *name, unsigned int flags);
enum {
	TCPSTATE_MFD_CLOEXEC_ALLOW_SEALING = 3,
	TCPSTATE_F_ADD_SEALS = 1033,
	/* no writing, growing, shrinking, nor further seals */
	TCPSTATE_F_SEAL_ALL = 15,
};

/* glibc has them and declares them nowhere; <linux/capability.h> has the structs. */
int capget(cap_user_header_t header, cap_user_data_t data);
int capset(cap_user_header_t header, const cap_user_data_t data);
enum { TCPSTATE_CAPABILITY_VERSION = _LINUX_CAPABILITY_VERSION_3 };

/* Variadic, which Swift can't call. */
static inline int tcpstate_forbid_dumps(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Memory shared with the kernel side, whose order counts. */
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
