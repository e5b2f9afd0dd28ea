// A libdnnl.so.2 that exports dnnl_version alone. FAKE_DNNL_MAJOR is the major version it claims.
namespace {
struct FakeVersion {
  int major, minor, patch;
  const char* hash;
  unsigned cpu_runtime, gpu_runtime;
};
const FakeVersion kVersion{FAKE_DNNL_MAJOR, 1, 4, "fake", 2, 0};
}  // namespace

extern "C" const FakeVersion* dnnl_version() { return &kVersion; }
