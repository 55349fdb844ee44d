/* Records, in order, what a process asks of its disk and what it sends: preload it into a relay.
 *
 * Build: gcc -shared -fPIC -O1 -o recorder.so recorder.c -ldl
 * Use:   RECORDER_FILE=/path LD_PRELOAD=./recorder.so staffetta-relay serve ...
 *
 * One line each: "write PATH", "fdatasync PATH", "fsync PATH", "sync_file_range PATH",
 * "rename FROM TO", "send". Syncs and renames are recorded when they are through, writes and sends
 * before they begin, so that the order of lines proves the order of effects.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int record_fd = -1;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("RECORDER_FILE");
    if (path)
        record_fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
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

static void record_fd_of(const char *what, int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0 || path[0] != '/') return;
    path[length] = 0;
    record("%s %s\n", what, path);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t count) {
    record_fd_of("write", fd);
    return NEXT(write)(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    record_fd_of("write", fd);
    return NEXT(pwrite)(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    record_fd_of("write", fd);
    return NEXT(pwrite64)(fd, bytes, count, at);
}

int fdatasync(int fd) {
    int result = NEXT(fdatasync)(fd);
    if (result == 0) record_fd_of("fdatasync", fd);
    return result;
}

int fsync(int fd) {
    int result = NEXT(fsync)(fd);
    if (result == 0) record_fd_of("fsync", fd);
    return result;
}

int sync_file_range(int fd, off64_t at, off64_t count, unsigned flags) {
    int result = NEXT(sync_file_range)(fd, at, count, flags);
    if (result == 0) record_fd_of("sync_file_range", fd);
    return result;
}

int rename(const char *from, const char *to) {
    int result = NEXT(rename)(from, to);
    if (result == 0) record("rename %s %s\n", from, to);
    return result;
}

ssize_t send(int fd, const void *bytes, size_t count, int flags) {
    record("send\n");
    return NEXT(send)(fd, bytes, count, flags);
}
