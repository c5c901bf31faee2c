// A plugin of QEMU that counts the instructions a program executes in each
// function whose name begins with PREFIX. Build and use it with
//
//	gcc -O2 -shared -fPIC -o instructions.so instructions.c
//	qemu-aarch64 -plugin $PWD/instructions.so,prefix=PREFIX,out=FILE PROGRAM
//
// At the end FILE has a line for each function: count, name.
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What is used here of version 1 of QEMU's plugin interface. Debian packages QEMU
// without the header.
int qemu_plugin_version = 1;
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, enum qemu_plugin_op, void *, uint64_t);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, void *), void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *);

struct function {
	struct function *next;
	char *name;
	uint64_t count; // QEMU adds to it: a function never moves
};

static struct function *functions;
static const char *prefix = "", *out;

static struct function *find(const char *name)
{
	struct function *f;
	for (f = functions; f; f = f->next)
		if (!strcmp(f->name, name))
			return f;
	f = calloc(1, sizeof *f);
	if (!f || !(f->name = strdup(name)))
		abort();
	f->next = functions;
	return functions = f;
}

// A block has no jump but at its end, so it is executed as a whole and lies in one
// function.
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
	const char *name = qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(block, 0));
	if (name && !strncmp(name, prefix, strlen(prefix)))
		qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64,
							 &find(name)->count, qemu_plugin_tb_n_insns(block));
}

static void finished(qemu_plugin_id_t id, void *unused)
{
	FILE *file = fopen(out, "w");
	if (!file) {
		fprintf(stderr, "instructions: %s: %s\n", out, strerror(errno));
		return;
	}
	for (struct function *f = functions; f; f = f->next)
		fprintf(file, "%llu %s\n", (unsigned long long)f->count, f->name);
	fclose(file);
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "prefix=", 7))
			prefix = strdup(argv[i] + 7);
		else if (!strncmp(argv[i], "out=", 4))
			out = strdup(argv[i] + 4);
	}
	if (!out) {
		fprintf(stderr, "instructions: out=FILE is missing\n");
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finished, NULL);
	return 0;
}
