// A small libnccl.so.2 for tests of the loader. FAKE_VERSION is the number it tells; FAKE_MISSING leaves a function
// out, FAKE_CRASH and FAKE_HANG end or stop the process that loads it.
#include <unistd.h>

#include <csignal>

#ifndef FAKE_VERSION
#define FAKE_VERSION 22105
#endif

extern "C" {
int ncclGetVersion(int* version) {
  *version = FAKE_VERSION;
  return FAKE_VERSION == 0 ? 3 : 0;
}
const char* ncclGetErrorString(int /*status*/) { return "internal error"; }
int ncclCommInitAll(void** /*comms*/, int /*count*/, const int* /*devices*/) { return 1; }
int ncclCommDestroy(void* /*comm*/) { return 0; }
int ncclGroupStart() { return 0; }
int ncclGroupEnd() { return 0; }
#ifndef FAKE_MISSING
int ncclAllReduce(const void*, void*, unsigned long, int, int, void*, void*) { return 1; }
#endif
}

namespace {
#ifdef FAKE_CRASH
const int kCrashed = (std::signal(SIGSEGV, SIG_DFL), raise(SIGSEGV));
#endif
#ifdef FAKE_HANG
const unsigned kHung = sleep(600);
#endif
}  // namespace
