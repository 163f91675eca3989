/* A disk that takes longer to keep what it is told: LD_PRELOAD of this in PostgreSQL adds WEBER_DISK_US microseconds to every
   flush, for Weber and pgbench alike. The disks of rented machines take one to several milliseconds. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_for_the_disk(void) {
  const char *us = getenv("WEBER_DISK_US");
  if (us) usleep((useconds_t)atoi(us));
}

int fdatasync(int file) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  wait_for_the_disk();
  return real(file);
}

int fsync(int file) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  wait_for_the_disk();
  return real(file);
}
