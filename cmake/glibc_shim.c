/* Names that static archives of newer distributions use and glibc 2.27 does not export. Each forwards to the
 * older function with the same behaviour on 64-bit Linux. Linked only into the portable release build. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>

/* fcntl64 appeared in glibc 2.28; on x86_64 off_t is 64 bits wide already. */
int fcntl64(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  return fcntl(fd, command, argument);
}

/* The C23 spellings appeared in glibc 2.38; they differ only in accepting 0b literals. */
long __isoc23_strtol(const char* text, char** end, int base) { return strtol(text, end, base); }
unsigned long __isoc23_strtoul(const char* text, char** end, int base) { return strtoul(text, end, base); }
long long __isoc23_strtoll(const char* text, char** end, int base) { return strtoll(text, end, base); }
unsigned long long __isoc23_strtoull(const char* text, char** end, int base) { return strtoull(text, end, base); }
