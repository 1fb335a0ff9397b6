/* A disk that is slow: each sync takes longer by SLOW_SYNC_MS milliseconds. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void dawdle(void) {
    const char *milliseconds = getenv("SLOW_SYNC_MS");
    usleep((milliseconds ? atoi(milliseconds) : 0) * 1000);
}

int fsync(int file) {
    dawdle();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file);
}

int fdatasync(int file) {
    dawdle();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(file);
}
