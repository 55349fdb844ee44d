/* Records, in order, what a process asks of its disk and what it sends: preload it into a relay.
 *
 * Build: gcc -shared -fPIC -O1 -o recorder.so recorder.c -ldl -lpthread
 * Use:   RECORDER_FILE=/path LD_PRELOAD=./recorder.so staffetta-relay serve ...
 *        RECORDER_TRACE=/path RECORDER_ROOT=/data LD_PRELOAD=... (both may be given)
 *
 * RECORDER_FILE gets one line each: "write PATH", "fdatasync PATH", "fsync PATH",
 * "sync_file_range PATH", "rename FROM TO", "send". Syncs and renames are recorded when they are
 * through, writes and sends before they begin, so that the order of lines proves the order of
 * effects.
 *
 * RECORDER_TRACE gets everything with its contents that concerns files below RECORDER_ROOT, for a
 * replay of power cuts. A record, numbers in the machine's order:
 *
 *   kind 1 | path length 4 | rest length 4 | number 8 | path | rest
 *
 *   C create, D mkdir, U unlink, X rmdir      rest empty
 *   W write                                   number = offset, rest = bytes
 *   T truncate                                number = length
 *   R rename                                  rest = the new path
 *   B a sync begins, E it is through          number = which
 *
 * All but B are recorded when they are through, and what is through before B is what E covers: a
 * write that happens during a sync is not taken for synced.
 */
#undef _FORTIFY_SOURCE
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int record_fd = -1;
static int trace_fd = -1;
static const char *root = "/";
static uint64_t syncs;
static pthread_mutex_t trace_lock = PTHREAD_MUTEX_INITIALIZER;

static int open_raw(const char *path) {
    return (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("RECORDER_FILE");
    if (path) record_fd = open_raw(path);
    path = getenv("RECORDER_TRACE");
    if (path) trace_fd = open_raw(path);
    path = getenv("RECORDER_ROOT");
    if (path) root = path;
}

static void record(const char *format, ...) {
    if (record_fd < 0) return;
    int saved = errno;
    char line[2 * PATH_MAX + 64];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < sizeof line) syscall(SYS_write, record_fd, line, (size_t)length);
    errno = saved;
}

static void trace(char kind, const char *path, uint64_t number, const void *rest, size_t count) {
    if (trace_fd < 0 || strncmp(path, root, strlen(root)) != 0) return;
    int saved = errno;
    char head[17];
    uint32_t path_length = (uint32_t)strlen(path), rest_length = (uint32_t)count;
    head[0] = kind;
    memcpy(head + 1, &path_length, 4);
    memcpy(head + 5, &rest_length, 4);
    memcpy(head + 9, &number, 8);
    struct iovec parts[3] = {{head, sizeof head}, {(void *)path, path_length}, {(void *)rest, count}};
    size_t wanted = sizeof head + path_length + count;
    pthread_mutex_lock(&trace_lock);
    if ((size_t)syscall(SYS_writev, trace_fd, parts, 3) != wanted) _exit(99);
    pthread_mutex_unlock(&trace_lock);
    errno = saved;
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0 || path[0] != '/') return 0;
    path[length] = 0;
    return 1;
}

static void record_fd_of(const char *what, int fd) {
    char path[PATH_MAX];
    int saved = errno;
    if (record_fd >= 0 && path_of(fd, path)) record("%s %s\n", what, path);
    errno = saved;
}

static void trace_fd_of(char kind, int fd, uint64_t number, const void *rest, size_t count) {
    char path[PATH_MAX];
    int saved = errno;
    if (trace_fd >= 0 && path_of(fd, path)) trace(kind, path, number, rest, count);
    errno = saved;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count) {
    record_fd_of("write", fd);
    ssize_t done = NEXT(write)(fd, bytes, count);
    if (done > 0 && trace_fd >= 0) {
        int saved = errno;
        off_t at = lseek(fd, 0, SEEK_CUR);
        if (at >= done) trace_fd_of('W', fd, (uint64_t)(at - done), bytes, (size_t)done);
        errno = saved;
    }
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    record_fd_of("write", fd);
    ssize_t done = NEXT(pwrite)(fd, bytes, count, at);
    if (done > 0) trace_fd_of('W', fd, (uint64_t)at, bytes, (size_t)done);
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    record_fd_of("write", fd);
    ssize_t done = NEXT(pwrite64)(fd, bytes, count, at);
    if (done > 0) trace_fd_of('W', fd, (uint64_t)at, bytes, (size_t)done);
    return done;
}

int ftruncate(int fd, off_t length) {
    int result = NEXT(ftruncate)(fd, length);
    if (result == 0) trace_fd_of('T', fd, (uint64_t)length, NULL, 0);
    return result;
}

int ftruncate64(int fd, off64_t length) {
    int result = NEXT(ftruncate64)(fd, length);
    if (result == 0) trace_fd_of('T', fd, (uint64_t)length, NULL, 0);
    return result;
}

int fdatasync(int fd) {
    uint64_t number = __atomic_add_fetch(&syncs, 1, __ATOMIC_SEQ_CST);
    trace_fd_of('B', fd, number, NULL, 0);
    int result = NEXT(fdatasync)(fd);
    if (result == 0) {
        trace_fd_of('E', fd, number, NULL, 0);
        record_fd_of("fdatasync", fd);
    }
    return result;
}

int fsync(int fd) {
    uint64_t number = __atomic_add_fetch(&syncs, 1, __ATOMIC_SEQ_CST);
    trace_fd_of('B', fd, number, NULL, 0);
    int result = NEXT(fsync)(fd);
    if (result == 0) {
        trace_fd_of('E', fd, number, NULL, 0);
        record_fd_of("fsync", fd);
    }
    return result;
}

/* Says nothing of durability, so the trace has nothing of it. */
int sync_file_range(int fd, off64_t at, off64_t count, unsigned flags) {
    int result = NEXT(sync_file_range)(fd, at, count, flags);
    if (result == 0) record_fd_of("sync_file_range", fd);
    return result;
}

int rename(const char *from, const char *to) {
    int result = NEXT(rename)(from, to);
    if (result == 0) {
        record("rename %s %s\n", from, to);
        trace('R', from, 0, to, strlen(to));
    }
    return result;
}

int mkdir(const char *path, mode_t mode) {
    int result = NEXT(mkdir)(path, mode);
    if (result == 0) trace('D', path, 0, NULL, 0);
    return result;
}

int unlink(const char *path) {
    int result = NEXT(unlink)(path);
    if (result == 0) trace('U', path, 0, NULL, 0);
    return result;
}

int rmdir(const char *path) {
    int result = NEXT(rmdir)(path);
    if (result == 0) trace('X', path, 0, NULL, 0);
    return result;
}

int unlinkat(int dir, const char *name, int flags) {
    int result = NEXT(unlinkat)(dir, name, flags);
    if (result == 0 && trace_fd >= 0) {
        char path[PATH_MAX], whole[2 * PATH_MAX];
        int saved = errno;
        if (name[0] == '/' || dir == AT_FDCWD) {
            trace(flags & AT_REMOVEDIR ? 'X' : 'U', name, 0, NULL, 0);
        } else if (path_of(dir, path)) {
            snprintf(whole, sizeof whole, "%s/%s", path, name);
            trace(flags & AT_REMOVEDIR ? 'X' : 'U', whole, 0, NULL, 0);
        }
        errno = saved;
    }
    return result;
}

static int is_absent(int dir, const char *path, int flags) {
    int saved = errno;
    int absent = (flags & O_CREAT) && syscall(SYS_faccessat, dir, path, F_OK) != 0;
    errno = saved;
    return absent;
}

static void opened(int fd, int flags, int was_absent) {
    if (fd < 0) return;
    if (was_absent) {
        trace_fd_of('C', fd, 0, NULL, 0);
    } else if (flags & O_TRUNC) {
        trace_fd_of('T', fd, 0, NULL, 0);
    }
}

#define MODE(mode)                                                                                 \
    mode_t mode = 0;                                                                               \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode = va_arg(arguments, mode_t);                                                          \
        va_end(arguments);                                                                         \
    }

int open(const char *path, int flags, ...) {
    MODE(mode)
    int absent = is_absent(AT_FDCWD, path, flags), fd = NEXT(open)(path, flags, mode);
    opened(fd, flags, absent);
    return fd;
}

int open64(const char *path, int flags, ...) {
    MODE(mode)
    int absent = is_absent(AT_FDCWD, path, flags), fd = NEXT(open64)(path, flags, mode);
    opened(fd, flags, absent);
    return fd;
}

int openat(int dir, const char *path, int flags, ...) {
    MODE(mode)
    int absent = is_absent(dir, path, flags), fd = NEXT(openat)(dir, path, flags, mode);
    opened(fd, flags, absent);
    return fd;
}

int openat64(int dir, const char *path, int flags, ...) {
    MODE(mode)
    int absent = is_absent(dir, path, flags), fd = NEXT(openat64)(dir, path, flags, mode);
    opened(fd, flags, absent);
    return fd;
}

ssize_t send(int fd, const void *bytes, size_t count, int flags) {
    record("send\n");
    return NEXT(send)(fd, bytes, count, flags);
}
