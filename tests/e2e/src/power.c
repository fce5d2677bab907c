/* A disk that forgets. Loaded into a node before its other libraries, it keeps a second copy of each file below POWER_HOME as
 * the file was when it was last synced, below POWER_DISK. What a process wrote and did not sync is not there: exactly what a power
 * cut leaves at worst. Names (rename, unlink) are taken over at once, as a journalling file system does at its latest.
 * With POWER_FORGET set nothing is kept at all, as if no sync ever reached the disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Where `path` is kept; 0 if it is not below the home. */
static int kept_at(const char *path, char *kept) {
    const char *home = getenv("POWER_HOME"), *disk = getenv("POWER_DISK");
    if (!home || !disk || getenv("POWER_FORGET")) return 0;
    size_t length = strlen(home);
    if (strncmp(path, home, length) != 0 || path[length] != '/') return 0;
    return snprintf(kept, PATH_MAX, "%s%s", disk, path + length) < PATH_MAX;
}

static void make_parents(char *path) {
    for (char *at = path + 1; (at = strchr(at, '/')); at++) {
        *at = 0;
        mkdir(path, 0700);
        *at = '/';
    }
}

/* A path that was given, as the kernel knows it. */
static int absolute(const char *path, char *whole) {
    if (path[0] == '/') return snprintf(whole, PATH_MAX, "%s", path) < PATH_MAX;
    char here[PATH_MAX / 2];
    return getcwd(here, sizeof here) && snprintf(whole, PATH_MAX, "%s/%s", here, path) < PATH_MAX;
}

static void keep(int file) {
    char link[64], path[PATH_MAX], kept[PATH_MAX], beside[PATH_MAX + 8], bytes[65536];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = 0;
    if (!kept_at(path, kept)) return;
    make_parents(kept);
    struct stat facts;
    if (fstat(file, &facts) != 0) return;
    if (S_ISDIR(facts.st_mode)) {
        mkdir(kept, 0700);
        return;
    }
    snprintf(beside, sizeof beside, "%s.new", kept);
    int from = open(path, O_RDONLY | O_CLOEXEC), to = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, facts.st_mode & 0777);
    int whole = from >= 0 && to >= 0;
    for (ssize_t read_now; whole && (read_now = read(from, bytes, sizeof bytes)) != 0;)
        whole = read_now > 0 && write(to, bytes, (size_t)read_now) == read_now;
    if (from >= 0) close(from);
    if (to >= 0) close(to);
    if (whole) rename(beside, kept);
}

static int synced(const char *name, int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int done = real(file), error = errno;
    if (done == 0) {
        pthread_mutex_lock(&lock);
        keep(file);
        pthread_mutex_unlock(&lock);
    }
    errno = error;
    return done;
}

int fsync(int file) { return synced("fsync", file); }
int fdatasync(int file) { return synced("fdatasync", file); }

int rename(const char *from, const char *to) {
    int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    int done = real(from, to), error = errno;
    char one[PATH_MAX], other[PATH_MAX], kept_from[PATH_MAX], kept_to[PATH_MAX];
    if (done == 0 && absolute(from, one) && absolute(to, other) && kept_at(one, kept_from) && kept_at(other, kept_to)) {
        make_parents(kept_to);
        real(kept_from, kept_to);
    }
    errno = error;
    return done;
}

int unlink(const char *path) {
    int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    int done = real(path), error = errno;
    char whole[PATH_MAX], kept[PATH_MAX];
    if (done == 0 && absolute(path, whole) && kept_at(whole, kept)) real(kept);
    errno = error;
    return done;
}
