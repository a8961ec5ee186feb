// SPDX-License-Identifier: Apache-2.0
/*
 * Bounded loopback TCP load: makes and closes connections at full speed, or at
 * a given rate.
 *
 *   churn CONNECTIONS [THREADS [RATE]]
 *   prints: connections seconds connections/second microseconds-of-CPU/connection
 *
 * One thread does connect, accept and close in turn, the client closing first,
 * so that every connection makes the same 10 transitions, 5 at each end. RATE
 * is connections per second, for all threads together.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Listeners per thread, 127.THREAD.1.1 to 127.THREAD.40.1, because TIME-WAIT keeps
 * a client's port for 60 s, and one address has only about 28,000 of them. */
#define LISTENERS 40
#define MAX_THREADS 16
#define MAX_CONNECTIONS 2000000

struct options {
	long connections;
	int threads;
	long rate; /* connections per second, 0: no limit */
};

struct thread {
	pthread_t id;
	int number;
	const struct options *options;
};

struct listener {
	int fd;
	struct sockaddr_in address;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void open_listener(struct listener *l, int thread, int number)
{
	const int one = 1;
	socklen_t length = sizeof(l->address);

	memset(&l->address, 0, sizeof(l->address));
	l->address.sin_family = AF_INET;
	l->address.sin_addr.s_addr = htonl(0x7f000001u | thread << 16 | (number + 1) << 8);
	l->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (l->fd < 0)
		die("socket");
	setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(l->fd, (struct sockaddr *)&l->address, sizeof(l->address)))
		die("bind");
	if (getsockname(l->fd, (struct sockaddr *)&l->address, &length))
		die("getsockname");
	if (listen(l->fd, 16))
		die("listen");
}

static void connect_and_close(const struct listener *l)
{
	int client, server;
	char byte;

	client = socket(AF_INET, SOCK_STREAM, 0);
	if (client < 0)
		die("socket");
	if (connect(client, (const struct sockaddr *)&l->address, sizeof(l->address)))
		die("connect");
	server = accept(l->fd, NULL, NULL);
	if (server < 0)
		die("accept");
	close(client);
	while (read(server, &byte, 1) > 0)
		;
	close(server);
}

static void wait_turn(struct timespec *turn, long nanoseconds)
{
	turn->tv_nsec += nanoseconds;
	while (turn->tv_nsec >= 1000000000) {
		turn->tv_nsec -= 1000000000;
		turn->tv_sec++;
	}
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, turn, NULL);
}

static void *run(void *argument)
{
	const struct thread *thread = argument;
	const struct options *options = thread->options;
	struct listener listeners[LISTENERS];
	struct timespec turn;

	for (int i = 0; i < LISTENERS; i++)
		open_listener(&listeners[i], thread->number, i);
	clock_gettime(CLOCK_MONOTONIC, &turn);
	for (long k = 0; k < options->connections / options->threads; k++) {
		connect_and_close(&listeners[k % LISTENERS]);
		if (options->rate)
			wait_turn(&turn, 1000000000 / options->rate * options->threads);
	}
	for (int i = 0; i < LISTENERS; i++)
		close(listeners[i].fd);
	return NULL;
}

static double seconds(struct timeval t)
{
	return t.tv_sec + t.tv_usec / 1e6;
}

static void print_result(long connections, const struct timespec *start, const struct timespec *end)
{
	double wall = (end->tv_sec - start->tv_sec) + (end->tv_nsec - start->tv_nsec) / 1e9;
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("%ld %.3f %.0f %.2f\n", connections, wall, connections / wall,
	       (seconds(usage.ru_utime) + seconds(usage.ru_stime)) * 1e6 / connections);
}

int main(int argc, char **argv)
{
	struct options options = { .threads = 1 };
	struct thread threads[MAX_THREADS];
	struct timespec start, end;

	if (argc > 1)
		options.connections = atol(argv[1]);
	if (argc > 2)
		options.threads = atoi(argv[2]);
	if (argc > 3)
		options.rate = atol(argv[3]);
	if (options.connections < options.threads || options.connections > MAX_CONNECTIONS ||
	    options.threads < 1 || options.threads > MAX_THREADS || options.rate < 0) {
		fprintf(stderr, "usage: churn CONNECTIONS [THREADS [RATE]]\n");
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < options.threads; i++) {
		threads[i].number = i;
		threads[i].options = &options;
		if (pthread_create(&threads[i].id, NULL, run, &threads[i]))
			die("pthread_create");
	}
	for (int i = 0; i < options.threads; i++)
		pthread_join(threads[i].id, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	print_result(options.connections / options.threads * options.threads, &start, &end);
	return 0;
}
