// Which library has none of its functions? Behind any soname, for the fault `missing_symbol`.
extern "C" int gpuassay_simulated();

int gpuassay_simulated() { return 1; }
