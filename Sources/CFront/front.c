// SPDX-License-Identifier: Apache-2.0
#include "front.h"

#include <stddef.h>

static int count;
static char **arguments;

/*
 * Swift reads the arguments from /proc/self/cmdline: without /proc there are
 * none. glibc passes those of main() to constructors, too.
 */
__attribute__((constructor)) static void keep_arguments(int argc, char **argv)
{
	count = argc;
	arguments = argv;
}

int tcpstate_argument_count(void)
{
	return count;
}

const char *tcpstate_argument(int number)
{
	return number >= 0 && number < count ? arguments[number] : NULL;
}
