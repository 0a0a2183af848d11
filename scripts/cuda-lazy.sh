#!/usr/bin/env bash
# Writes an archive that stands for a shared library and opens it at the first call of one of its functions: what is linked with it also starts
# where the library is not, and is told so by an error code. For x86-64.
#
#   cuda-lazy.sh SONAME FOLDER CODE ARCHIVE < NAMES
#
# SONAME   what is opened: where the system finds it, else in FOLDER
# CODE     what every function returns where there is none
# NAMES    its functions, one a line
set -euo pipefail

soname=$1 folder=$2 code=$3 archive=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mapfile -t names < <(sort -u)

{
    echo '#include <dlfcn.h>'
    echo '#include <pthread.h>'
    echo 'static const char *const names[] = {'
    printf '"%s",\n' "${names[@]}"
    echo '};'
    cat <<END
__attribute__((visibility("hidden"))) void *SLOTS[${#names[@]}];
static void *library;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void open_library(void) {
    library = dlopen("$soname", RTLD_NOW | RTLD_LOCAL);
    if (!library) library = dlopen("$folder/$soname", RTLD_NOW | RTLD_LOCAL);
}

static int missing(void) { return $code; }

/* Called by the assembly below with a function's number; gives where to go on. */
__attribute__((visibility("hidden"), used)) void *FIND(long number) {
    pthread_once(&once, open_library);
    void *found = library ? dlsym(library, names[number]) : 0;
    return SLOTS[number] = found ? found : (void *)missing;
}
END
} > "$work/find.c"

# A function jumps to where its slot says. An empty slot is filled first, with all registers that may hold arguments kept.
{
    cat <<'END'
    .text
FILL:
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %r8
    pushq %r9
    pushq %rax
    subq $136, %rsp
END
    for i in 0 1 2 3 4 5 6 7; do echo "    movups %xmm$i, $((16 * i))(%rsp)"; done
    cat <<'END'
    movq 192(%rsp), %rdi
    call FIND
    movq %rax, %r11
END
    for i in 0 1 2 3 4 5 6 7; do echo "    movups $((16 * i))(%rsp), %xmm$i"; done
    cat <<'END'
    addq $136, %rsp
    popq %rax
    popq %r9
    popq %r8
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    addq $8, %rsp
    jmp *%r11
END
    for i in "${!names[@]}"; do
        name=${names[i]}
        printf '    .globl %s\n    .hidden %s\n    .type %s, @function\n%s:\n' "$name" "$name" "$name" "$name"
        printf '    movq SLOTS+%d(%%rip), %%r11\n    testq %%r11, %%r11\n    jz 1f\n    jmp *%%r11\n' $((8 * i))
        printf '1:  pushq $%d\n    jmp FILL\n' "$i"
    done
    echo '    .section .note.GNU-stack, "", @progbits'
} > "$work/jump.s"

# Names of its own for each library, since several are linked together.
own=$(basename "$archive" .a)
sed -i "s/\bSLOTS\b/${own}_slots/g; s/\bFIND\b/${own}_find/g; s/\bFILL\b/${own}_fill/g" "$work/find.c" "$work/jump.s"
gcc -c -O1 -fPIC -o "$work/find.o" "$work/find.c"
gcc -c -o "$work/jump.o" "$work/jump.s"
rm -f "$archive"
ar rcs "$archive" "$work/find.o" "$work/jump.o"
