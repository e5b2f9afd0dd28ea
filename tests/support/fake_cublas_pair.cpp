// A libcublas and a libcublasLt for tests of the loader, built from this one file: FAKE_LIGHT makes the second. Both
// export everything gpuassay requires; nothing computes. FAKE_MAJOR, FAKE_MINOR, FAKE_PATCH are the version.
#define EXPORT(name) \
  int name() { return 1; }
#ifdef FAKE_LIGHT
#define PROPERTY cublasLtGetProperty
#else
#define PROPERTY cublasGetProperty
#endif

extern "C" {
int PROPERTY(int type, int* value) {
  const int version[] = {FAKE_MAJOR, FAKE_MINOR, FAKE_PATCH};
  if (type < 0 || type > 2) return 7;
  *value = version[type];
  return 0;
}
#ifdef FAKE_LIGHT
EXPORT(cublasLtMatmulDescCreate)
EXPORT(cublasLtMatmulDescDestroy)
EXPORT(cublasLtMatmulDescSetAttribute)
EXPORT(cublasLtMatrixLayoutCreate)
EXPORT(cublasLtMatrixLayoutDestroy)
EXPORT(cublasLtMatrixLayoutSetAttribute)
EXPORT(cublasLtMatmulPreferenceCreate)
EXPORT(cublasLtMatmulPreferenceDestroy)
EXPORT(cublasLtMatmulPreferenceSetAttribute)
EXPORT(cublasLtMatmulAlgoConfigGetAttribute)
EXPORT(cublasLtCreate)
EXPORT(cublasLtDestroy)
EXPORT(cublasLtMatmulAlgoGetHeuristic)
EXPORT(cublasLtMatmul)
unsigned long cublasLtGetVersion() { return FAKE_MAJOR * 10000UL + FAKE_MINOR * 100UL + FAKE_PATCH; }
#else
EXPORT(cublasCreate_v2)
EXPORT(cublasDestroy_v2)
EXPORT(cublasSetStream_v2)
EXPORT(cublasGetVersion_v2)
EXPORT(cublasSetMathMode)
EXPORT(cublasSgemm_v2)
EXPORT(cublasDgemm_v2)
EXPORT(cublasHgemm)
EXPORT(cublasGemmEx)
EXPORT(cublasGemmStridedBatchedEx)
EXPORT(cublasSgemmStridedBatched)
EXPORT(cublasDgemmStridedBatched)
const char* cublasGetStatusName(int status) { return status == 15 ? "CUBLAS_STATUS_NOT_SUPPORTED" : "?"; }
#endif
}
