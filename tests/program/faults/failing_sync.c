/* Loaded before libc: the FAIL_AT-th call that brings a file to the disk reports an error. With FAIL_LATE it has been done all the same. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int calls;

static int attempt(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *at = getenv("FAIL_AT");
    int fails = at && atoi(at) == __sync_add_and_fetch(&calls, 1);
    if (!fails) return real(fd);
    if (getenv("FAIL_LATE")) real(fd);
    close(open(getenv("FAIL_TOLD"), O_CREAT | O_WRONLY, 0600));
    errno = EIO;
    return -1;
}

int fsync(int fd) { return attempt("fsync", fd); }
int fdatasync(int fd) { return attempt("fdatasync", fd); }
