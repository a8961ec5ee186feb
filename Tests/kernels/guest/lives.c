// SPDX-License-Identifier: Apache-2.0
/*
 * Makes TCP connections on the loopback device that live and end in the ways
 * the tracer has to distinguish. Prints one line for each:
 *
 *   NAME CLIENT_PORT SERVER_PORT     (0 where there is none)
 *
 *   lives all     every life, one after the other; waits for states, not for time
 *   lives hold    a listener, an established connection and one in CLOSE-WAIT,
 *                 kept until standard input ends: sockets older than a tracer
 */
#define _GNU_SOURCE
#include "sockets.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIN_TIMEOUT "/proc/sys/net/ipv4/tcp_fin_timeout"

struct connection {
	int client;
	int server;
	int client_port;
	int server_port;
};

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

static void print_life(const struct connection *c)
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

/* The textbook's close: one end first, the other when it has seen that. */
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
	print_life(&c);
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
	print_life(&c);
}

/*
 * The client is orphaned in FIN-WAIT-2, which the kernel gives up after some
 * seconds; the server closes later. All other lives take place meanwhile.
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
	print_life(&orphan);
}

static void linger_0(void)
{
	struct connection c;

	life = "linger_0";
	c = open_at("127.0.0.1");
	reset(c.client);
	wait_for(c.server, TCP_CLOSE);
	close(c.server);
	print_life(&c);
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
	print_life(&c);
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
	print_life(&c);
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
	print_life(&c);
}

/* A second socket bound to the same port can't connect to the same peer. */
static void addresses_in_use(void)
{
	struct connection c = { 0 };
	struct sockaddr_storage own, peer;
	int listener, fd, one = 1;
	socklen_t size;

	life = "addresses_in_use";
	listener = listen_at("127.0.0.1");
	c.server_port = port_of(listener);
	c.client_port = next_port++;
	c.client = connect_from("127.0.0.1", c.client_port, c.server_port);
	c.server = accept(listener, NULL, NULL);
	close(listener);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	size = resolve("127.0.0.1", c.client_port, &own);
	resolve("127.0.0.1", c.server_port, &peer);
	if (bind(fd, (void *)&own, size) || !connect(fd, (void *)&peer, size) ||
	    errno != EADDRNOTAVAIL)
		fail("find the addresses in use");
	close(fd);
	close_orderly(c.client, c.server);
	wait_listed(c.server_port, c.client_port, TCP_LAST_ACK, false);
	print_life(&c);
}

/* As a checkpoint takes a connection away: nothing is sent to its peer. */
static void taken_away(void)
{
	struct connection c;
	int one = 1;

	life = "taken_away";
	c = open_at("127.0.0.1");
	if (setsockopt(c.client, IPPROTO_TCP, TCP_REPAIR, &one, sizeof(one)))
		fail("set TCP_REPAIR");
	close(c.client);
	reset(c.server);
	print_life(&c);
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
	print_life(&c);
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
		 * is free. Not as an orphan, which would get there unseen.
		 */
		shutdown(c.server, SHUT_WR);
		wait_for(c.client, TCP_CLOSE_WAIT);
		close(c.client);
		wait_listed(c.server_port, c.client_port, TCP_TIME_WAIT, true);
		close(c.server);
	}
	close(listener);
	print_life(&c);
}

/* Each end in a process with a name of its own. */
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
	print_life(&c);
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
	addresses_in_use();
	taken_away();
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
	print_life(&open);
	life = "held_in_close_wait";
	leaked = open_at("127.0.0.1");
	close(leaked.client);
	wait_for(leaked.server, TCP_CLOSE_WAIT);
	print_life(&leaked);
	while (getchar() != EOF)
		;
	/* A tracer sees the end of this one, but has not seen its beginning. */
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
