// SPDX-License-Identifier: Apache-2.0
/*
 * Which programs of the BPF object a kernel accepts, each on its own, and what
 * they record once they are attached. Next to the tracer it shows which parts a
 * kernel rejects; on architectures without a Swift compiler at hand it takes the
 * tracer's place.
 *
 *   probe features OBJECT   one line each: "program:NAME ok" or the error; the
 *                           same as "plain:NAME", the mode for old kernels;
 *                           "field:NAME ok" for what only some kernels have
 *   probe trace OBJECT      attaches all, prints "attached", then, when
 *                           standard input ends, the records and what the
 *                           iterators find
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <tcpstate_event.h>
#include <unistd.h>

#define CLASSIC "transition_classic"

static int failed(const char *what, int error)
{
	fprintf(stderr, "probe: can't %s: %s\n", what, strerror(error));
	return 1;
}

/* As the tracer does; otherwise each event would wake the consumer. */
static int configure(struct bpf_object *object, bool plain)
{
	struct tcpstate_config config = { .wake_bytes = 1 << 20, .plain = plain };
	struct bpf_map *rodata = bpf_object__find_map_by_name(object, ".rodata");
	size_t size = 0;
	void *value = rodata ? (void *)bpf_map__initial_value(rodata, &size) : NULL;

	if (!value || size != sizeof(config))
		return -EINVAL;
	memcpy(value, &config, sizeof(config));
	return 0;
}

static int load_only(const char *path, const char *name, bool plain)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;
	int error;

	if (!object)
		return -errno;
	bpf_object__for_each_program(program, object)
		bpf_program__set_autoload(program, !strcmp(bpf_program__name(program), name));
	error = configure(object, plain);
	if (!error)
		error = bpf_object__load(object);
	bpf_object__close(object);
	return error;
}

static const char *field(const struct btf *btf, const char *structure, const char *name)
{
	int id = btf__find_by_name_kind(btf, structure, BTF_KIND_STRUCT);
	const struct btf_type *type = id > 0 ? btf__type_by_id(btf, id) : NULL;

	for (int i = 0; type && i < btf_vlen(type); i++) {
		if (!strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), name))
			return "ok";
	}
	return "missing";
}

static int features(const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct btf *btf = btf__load_vmlinux_btf();
	struct bpf_program *program;

	if (!object || !btf)
		return failed("open the object, or read the kernel's types", errno);
	for (int plain = 0; plain < 2; plain++) {
		bpf_object__for_each_program(program, object)
		{
			const char *name = bpf_program__name(program);
			int error = load_only(path, name, plain);

			printf("%s:%s %s\n", plain ? "plain" : "program", name,
			       error ? strerror(-error) : "ok");
		}
	}
	printf("field:total_rto_time %s\n", field(btf, "tcp_sock", "total_rto_time"));
	printf("field:reset_reason %s\n",
	       btf__find_by_name_kind(btf, "sk_rst_reason", BTF_KIND_ENUM) > 0 ? "ok" : "missing");
	printf("field:tw_entry_stamp %s\n", field(btf, "inet_timewait_sock", "tw_entry_stamp"));
	btf__free(btf);
	bpf_object__close(object);
	return 0;
}

static void print_event(const struct tcpstate_event *e)
{
	printf("%u,%u,%u,%016llx,%u,%u,%u,%u,%.16s\n", e->kind, e->state_old, e->state_new,
	       (unsigned long long)e->cookie, e->local_port, e->peer_port, e->owner_pid,
	       e->actor_pid, e->owner_name);
}

static int take(void *context, void *data, size_t size)
{
	(void)context;
	if (size != sizeof(struct tcpstate_event))
		printf("a record of %zu bytes\n", size);
	else
		print_event(data);
	return 0;
}

static int read_iterator(struct bpf_link *link)
{
	struct tcpstate_snapshot snapshot;
	int fd = bpf_iter_create(bpf_link__fd(link));
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;

	if (!file)
		return failed("read an iterator", errno);
	while (fread(&snapshot, sizeof(snapshot), 1, file) == 1)
		print_event(&snapshot.event);
	fclose(file);
	return 0;
}

static int trace(const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_link *files = NULL, *sockets = NULL;
	struct bpf_program *program;
	struct tcpstate_shared *shared;
	struct ring_buffer *ring;
	int error;

	if (!object)
		return failed("open the object", errno);
	bpf_program__set_autoload(bpf_object__find_program_by_name(object, CLASSIC), false);
	error = configure(object, false);
	if (!error)
		error = bpf_object__load(object);
	if (error)
		return failed("load the object", -error);
	bpf_object__for_each_program(program, object)
	{
		const char *name = bpf_program__name(program);
		struct bpf_link *link;

		if (!strcmp(name, CLASSIC))
			continue;
		link = bpf_program__attach(program);
		/* The tracer does without it; not every kernel that loads it can attach it. */
		if (!link && !strcmp(name, "accepted"))
			continue;
		if (!link)
			return failed(name, errno);
		if (!strcmp(name, "snapshot_files"))
			files = link;
		if (!strcmp(name, "snapshot_sockets"))
			sockets = link;
	}
	shared = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_object__find_map_fd_by_name(object, ".bss"), 0);
	ring = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "events"), take, NULL,
				NULL);
	if (shared == MAP_FAILED || !ring || !files || !sockets)
		return failed("set up", errno);
	puts("attached");
	fflush(stdout);
	while (getchar() != EOF)
		;
	puts("events");
	ring_buffer__consume(ring);
	shared->snapshot_states = ~0u;
	puts("files");
	error = read_iterator(files);
	puts("sockets");
	if (!error)
		error = read_iterator(sockets);
	puts("end");
	return error;
}

int main(int count, char **arguments)
{
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	if (!getenv("PROBE_VERBOSE"))
		libbpf_set_print(NULL);
	if (count == 3 && !strcmp(arguments[1], "features"))
		return features(arguments[2]);
	if (count == 3 && !strcmp(arguments[1], "trace"))
		return trace(arguments[2]);
	fprintf(stderr, "usage: probe features|trace OBJECT\n");
	return 64;
}
