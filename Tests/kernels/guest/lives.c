/*
 * Makes TCP connections on the loopback device that live and end in the ways
 * the tracer must tell apart. A line each on standard output:
 *
 *   NAME CLIENT_PORT SERVER_PORT     (0 where there is none)
 *
 *   lives all     every life, one after the other; waits for states, not for time
 *   lives hold    a listener, an established connection and one in CLOSE-WAIT,
 *                 kept until standard input ends: sockets from before
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE_SECONDS 30
#define FIN_TIMEOUT "/proc/sys/net/ipv4/tcp_fin_timeout"

struct connection {
	int client;
	int server;
	int client_port;
	int server_port;
};

static const char *life; /* the one under way, for messages */

/*
 * The next that a listener takes: one that no other socket has, before or
 * after, for by it the rows of a life are found. Below the ephemeral ports.
 */
static int next_port = 20000;

static void fail(const char *what)
{
	fprintf(stderr, "lives: %s: can't %s: %s\n", life, what, strerror(errno));
	exit(1);
}

static bool late(void)
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

static void pause_briefly(void)
{
	struct timespec time = { .tv_nsec = 1000000 };

	nanosleep(&time, NULL);
}

static int state_of(int fd)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size))
		fail("ask for the state");
	return info.tcpi_state;
}

static void wait_for(int fd, int state)
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

static void wait_listed(int local, int remote, int state, bool wanted)
{
	while (listed(local, remote, state) != wanted) {
		errno = ETIMEDOUT;
		if (late())
			fail("see the socket come or go");
		pause_briefly();
	}
}

static int port_of(int fd)
{
	struct sockaddr_in6 address;
	socklen_t size = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &size))
		fail("ask for the port");
	return ntohs(address.sin6_port);
}

/* "127.0.0.1", "::1", or "::ffff:127.0.0.1" for a v4-mapped client and an IPv6 listener for all. */
static socklen_t resolve(const char *text, int port, struct sockaddr_storage *address)
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

static int listen_at(const char *text)
{
	struct sockaddr_storage address;
	socklen_t size = resolve(text, next_port++, &address);
	int fd = socket(address.ss_family, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (void *)&address, size) || listen(fd, 8))
		fail("listen");
	return fd;
}

/* A port to bind to, or 0. */
static int connect_from(const char *text, int own_port, int port)
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

static struct connection open_at(const char *text)
{
	struct connection c;
	int listener = listen_at(text);

	c.server_port = port_of(listener);
	c.client = connect_from(text, 0, c.server_port);
	c.client_port = port_of(c.client);
	c.server = accept(listener, NULL, NULL);
	if (c.server < 0)
		fail("accept");
	close(listener);
	return c;
}

static void tell(const struct connection *c)
{
	printf("%s %d %d\n", life, c->client_port, c->server_port);
	fflush(stdout);
}

static void send_some(int from, int to, size_t count)
{
	char buffer[4096] = { 0 };
	ssize_t got;

	if (send(from, buffer, count, MSG_NOSIGNAL) != (ssize_t)count)
		fail("send");
	while (count > 0) {
		got = recv(to, buffer, count, 0);
		if (got <= 0)
			fail("receive");
		count -= got;
	}
}

static void reset(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

/* The textbook's close: one end first, the other when it has learned of it. */
static void close_orderly(int first, int second)
{
	close(first);
	wait_for(second, TCP_CLOSE_WAIT);
	close(second);
}

static void closes_first(const char *name, const char *address, bool server)
{
	struct connection c;

	life = name;
	c = open_at(address);
	send_some(c.client, c.server, 1000);
	send_some(c.server, c.client, 2000);
	close_orderly(server ? c.server : c.client, server ? c.client : c.server);
	wait_listed(server ? c.client_port : c.server_port, server ? c.server_port : c.client_port,
		    TCP_LAST_ACK, false);
	tell(&c);
}

static void half_close(void)
{
	struct connection c;

	life = "half_close";
	c = open_at("127.0.0.1");
	shutdown(c.client, SHUT_WR);
	wait_for(c.server, TCP_CLOSE_WAIT);
	wait_for(c.client, TCP_FIN_WAIT2);
	send_some(c.server, c.client, 3000);
	close(c.server);
	wait_listed(c.client_port, c.server_port, TCP_TIME_WAIT, true);
	close(c.client);
	tell(&c);
}

/*
 * The client is orphaned in FIN-WAIT-2 and given up after some seconds; the
 * server closes later. All other lives go on meanwhile.
 */
static struct connection orphan;

static void begin_orphan(void)
{
	life = "orphan_runs_out";
	orphan = open_at("127.0.0.1");
	close(orphan.client);
	wait_for(orphan.server, TCP_CLOSE_WAIT);
	wait_listed(orphan.client_port, orphan.server_port, TCP_FIN_WAIT2, true);
}

static void end_orphan(void)
{
	life = "orphan_runs_out";
	wait_listed(orphan.client_port, orphan.server_port, TCP_FIN_WAIT2, false);
	close(orphan.server);
	wait_listed(orphan.server_port, orphan.client_port, TCP_LAST_ACK, false);
	tell(&orphan);
}

static void linger_0(void)
{
	struct connection c;

	life = "linger_0";
	c = open_at("127.0.0.1");
	reset(c.client);
	wait_for(c.server, TCP_CLOSE);
	close(c.server);
	tell(&c);
}

static void unread_data(void)
{
	struct connection c;

	life = "unread_data";
	c = open_at("127.0.0.1");
	if (send(c.server, "data", 4, MSG_NOSIGNAL) != 4)
		fail("send");
	while (recv(c.client, &(char){ 0 }, 1, MSG_PEEK | MSG_DONTWAIT) != 1 && !late())
		pause_briefly();
	close(c.client);
	wait_for(c.server, TCP_CLOSE);
	close(c.server);
	tell(&c);
}

static void reset_in_close_wait(void)
{
	struct connection c;

	life = "reset_in_close_wait";
	c = open_at("127.0.0.1");
	shutdown(c.client, SHUT_WR);
	wait_for(c.server, TCP_CLOSE_WAIT);
	wait_for(c.client, TCP_FIN_WAIT2);
	reset(c.client);
	wait_for(c.server, TCP_CLOSE);
	close(c.server);
	tell(&c);
}

static void refused(void)
{
	struct connection c = { 0 };
	struct sockaddr_storage address;
	int listener, fd;
	socklen_t size;

	life = "refused";
	listener = listen_at("127.0.0.1");
	c.server_port = port_of(listener);
	close(listener);
	size = resolve("127.0.0.1", c.server_port, &address);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (!connect(fd, (void *)&address, size) || errno != ECONNREFUSED)
		fail("be refused");
	close(fd);
	tell(&c);
}

static void never_accepted(void)
{
	struct connection c = { 0 };
	int listener;

	life = "never_accepted";
	listener = listen_at("127.0.0.1");
	c.server_port = port_of(listener);
	c.client = connect_from("127.0.0.1", 0, c.server_port);
	c.client_port = port_of(c.client);
	wait_listed(c.server_port, c.client_port, TCP_ESTABLISHED, true);
	close(listener);
	wait_for(c.client, TCP_CLOSE);
	close(c.client);
	tell(&c);
}

/* A new connection between the same two ports ends the old one's TIME-WAIT. */
static void reused(void)
{
	struct connection c = { 0 };
	int listener;

	life = "reused";
	listener = listen_at("127.0.0.1");
	c.server_port = port_of(listener);
	for (int round = 0; round < 2; round++) {
		c.client = connect_from("127.0.0.1", c.client_port, c.server_port);
		c.client_port = port_of(c.client);
		c.server = accept(listener, NULL, NULL);
		if (c.server < 0)
			fail("accept");
		/*
		 * The server's end keeps TIME-WAIT, so that the client's port
		 * is free; not as an orphan, which would get there unseen.
		 */
		shutdown(c.server, SHUT_WR);
		wait_for(c.client, TCP_CLOSE_WAIT);
		close(c.client);
		wait_listed(c.server_port, c.client_port, TCP_TIME_WAIT, true);
		close(c.server);
	}
	close(listener);
	tell(&c);
}

/* Each end in a process of its own name. */
static void two_processes(void)
{
	struct connection c = { 0 };
	int listener, ports[2];
	pid_t child;

	life = "two_processes";
	if (pipe(ports))
		fail("make a pipe");
	fflush(stdout);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_NAME, "serving");
		listener = listen_at("127.0.0.1");
		c.server_port = port_of(listener);
		if (write(ports[1], &c.server_port, sizeof(c.server_port)) < 0)
			_exit(1);
		c.server = accept(listener, NULL, NULL);
		wait_for(c.server, TCP_CLOSE_WAIT);
		_exit(c.server < 0);
	}
	next_port++; /* the child took it */
	if (child < 0 ||
	    read(ports[0], &c.server_port, sizeof(c.server_port)) != sizeof(c.server_port))
		fail("start the server");
	c.client = connect_from("127.0.0.1", 0, c.server_port);
	c.client_port = port_of(c.client);
	close(c.client);
	if (waitpid(child, NULL, 0) != child)
		fail("wait for the server");
	wait_listed(c.server_port, c.client_port, TCP_LAST_ACK, false);
	tell(&c);
}

static void set_fin_timeout(const char *seconds)
{
	FILE *file = fopen(FIN_TIMEOUT, "w");

	life = "set-up";
	if (!file || fputs(seconds, file) < 0 || fclose(file))
		fail("set " FIN_TIMEOUT);
}

static int all(void)
{
	set_fin_timeout("3");
	begin_orphan();
	closes_first("client_closes_first", "127.0.0.1", false);
	closes_first("client_closes_first/ipv6", "::1", false);
	closes_first("client_closes_first/mapped", "::ffff:127.0.0.1", false);
	closes_first("server_closes_first", "127.0.0.1", true);
	closes_first("server_closes_first/ipv6", "::1", true);
	half_close();
	linger_0();
	unread_data();
	reset_in_close_wait();
	refused();
	never_accepted();
	reused();
	two_processes();
	end_orphan();
	return 0;
}

static int hold(void)
{
	struct connection leaked, open;
	int listener;

	prctl(PR_SET_NAME, "holding");
	next_port = 10000;
	life = "listener";
	listener = listen_at("127.0.0.1");
	printf("listener 0 %d\n", port_of(listener));
	life = "held_open";
	open = open_at("127.0.0.1");
	tell(&open);
	life = "held_in_close_wait";
	leaked = open_at("127.0.0.1");
	close(leaked.client);
	wait_for(leaked.server, TCP_CLOSE_WAIT);
	tell(&leaked);
	while (getchar() != EOF)
		;
	/* Its end is seen by a tracer that hasn't seen its beginning. */
	life = "held_open";
	close_orderly(open.client, open.server);
	return 0;
}

int main(int count, char **arguments)
{
	if (count == 2 && !strcmp(arguments[1], "all"))
		return all();
	if (count == 2 && !strcmp(arguments[1], "hold"))
		return hold();
	fprintf(stderr, "usage: lives all|hold\n");
	return 64;
}
