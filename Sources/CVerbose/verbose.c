// SPDX-License-Identifier: Apache-2.0
#include "verbose.h"

#include <bpf/libbpf.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/*
 * Never waits long for a standard error that nobody reads: once it takes
 * nothing for 100 ms, it isn't waited for again. In C for its va_list.
 */
static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	static int patience = 100;
	struct pollfd standard_error = { STDERR_FILENO, POLLOUT, 0 };
	char text[4096];
	int length = vsnprintf(text, sizeof(text), format, arguments);

	(void)level;
	if (length <= 0)
		return 0;
	if (length >= (int)sizeof(text))
		length = sizeof(text) - 1;
	if (poll(&standard_error, 1, patience) < 1) {
		patience = 0;
		return 0;
	}
	return (int)write(STDERR_FILENO, text, (size_t)length);
}

void tcpstate_print_messages(int wanted)
{
	libbpf_set_print(wanted ? print : NULL);
}
