/* Loaded before libc: the system gives nobody another instance of inotify. */
#include <errno.h>

int inotify_init1(int flags) {
    (void)flags;
    errno = EMFILE;
    return -1;
}

int inotify_init(void) { return inotify_init1(0); }
