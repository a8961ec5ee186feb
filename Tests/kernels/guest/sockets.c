// SPDX-License-Identifier: Apache-2.0
/* TCP sockets on the loopback device, and waiting for their states. */
#include "sockets.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_SECONDS 30

const char *life;
int next_port = 20000;

void fail(const char *what)
{
	fprintf(stderr, "lives: %s: can't %s: %s\n", life, what, strerror(errno));
	exit(1);
}

bool late(void)
{
	static time_t began;
	static const char *what;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (what != life) {
		what = life;
		began = now.tv_sec;
	}
	return now.tv_sec - began > DEADLINE_SECONDS;
}

void pause_briefly(void)
{
	struct timespec time = { .tv_nsec = 1000000 };

	nanosleep(&time, NULL);
}

int state_of(int fd)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size))
		fail("ask for the state");
	return info.tcpi_state;
}

void wait_for(int fd, int state)
{
	while (state_of(fd) != state) {
		errno = ETIMEDOUT;
		if (late())
			fail("reach the state");
		pause_briefly();
	}
}

/* Whether the kernel's table has a socket with this local and remote port in this state. */
static bool listed(int local, int remote, int state)
{
	FILE *file = fopen("/proc/net/tcp", "r");
	unsigned int address, port, peer, peer_port, number;
	bool found = false;
	char line[256];

	if (!file)
		fail("open /proc/net/tcp");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %*d: %x:%x %x:%x %x", &address, &port, &peer, &peer_port,
			   &number) == 5)
			found |= (int)port == local && (int)peer_port == remote &&
				 (int)number == state;
	}
	fclose(file);
	return found;
}

void wait_listed(int local, int remote, int state, bool wanted)
{
	while (listed(local, remote, state) != wanted) {
		errno = ETIMEDOUT;
		if (late())
			fail("see the socket come or go");
		pause_briefly();
	}
}

int port_of(int fd)
{
	struct sockaddr_in6 address;
	socklen_t size = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &size))
		fail("ask for the port");
	return ntohs(address.sin6_port);
}

socklen_t resolve(const char *text, int port, struct sockaddr_storage *address)
{
	struct sockaddr_in *v4 = (void *)address;
	struct sockaddr_in6 *v6 = (void *)address;

	memset(address, 0, sizeof(*address));
	if (strchr(text, ':')) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		inet_pton(AF_INET6, text, &v6->sin6_addr);
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	inet_pton(AF_INET, text, &v4->sin_addr);
	return sizeof(*v4);
}

int listen_at(const char *text)
{
	struct sockaddr_storage address;
	socklen_t size = resolve(text, next_port++, &address);
	int fd = socket(address.ss_family, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (void *)&address, size) || listen(fd, 8))
		fail("listen");
	return fd;
}

int connect_from(const char *text, int own_port, int port)
{
	struct sockaddr_storage address, own;
	int one = 1, fd;
	socklen_t size;

	size = resolve(text, port, &address);
	fd = socket(address.ss_family, SOCK_STREAM, 0);
	if (own_port) {
		resolve(text, own_port, &own);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, (void *)&own, size))
			fail("bind");
	}
	if (connect(fd, (void *)&address, size))
		fail("connect");
	return fd;
}
