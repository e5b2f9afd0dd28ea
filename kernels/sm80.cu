// Which kernels does compute capability 8.0 and up get besides? One image of both parts.
#include "kernels/fma_bf16.cu"
#include "kernels/mma_sm80.cu"
