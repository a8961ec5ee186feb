#include <mntent.h>
#include <sched.h>
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
