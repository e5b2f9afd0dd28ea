// Which kernels does every GPU get? One image for all of them: fewer files to load, and less ELF around little code.
#include "kernels/clock.cu"
#include "kernels/empty.cu"
#include "kernels/fill.cu"
#include "kernels/fma.cu"
#include "kernels/gate.cu"
#include "kernels/gather.cu"
#include "kernels/stream.cu"
#include "kernels/verify.cu"
