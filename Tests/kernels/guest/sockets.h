/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP sockets on the loopback device, and waiting for their states. What can't
 * be done ends the program with a message.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <stdbool.h>
#include <sys/socket.h>

extern const char *life; /* the current one, for messages */

/*
 * The port that the next listener takes. No other socket has it, before or
 * after, because the rows of a life are found by it. Below the ephemeral ports.
 */
extern int next_port;

void fail(const char *what) __attribute__((noreturn));

/* Whether the current life has taken too long. */
bool late(void);
void pause_briefly(void);

/* Addresses are "127.0.0.1", "::1", or "::ffff:127.0.0.1": a v4-mapped client, a listener for all. */
socklen_t resolve(const char *text, int port, struct sockaddr_storage *address);
int listen_at(const char *text);
int port_of(int fd);

/* own_port: the port to bind to; 0 lets the kernel choose. */
int connect_from(const char *text, int own_port, int port);

/* States are those of <netinet/tcp.h>. */
int state_of(int fd);
void wait_for(int fd, int state);

/* Until the kernel's table has a socket with these ports in this state, or has none. */
void wait_listed(int local, int remote, int state, bool wanted);

#endif
