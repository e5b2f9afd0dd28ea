# Tests of finding, loading and choosing CUDA libraries, and the comparison of our declarations with NVIDIA's headers.

# gpuassay_fake_library(<folder> <file name> <source> DEFINITIONS...): a small shared object in a folder of its own.
function(gpuassay_fake_library folder file source)
  string(MAKE_C_IDENTIFIER "fake_${folder}_${file}" target)
  string(REGEX MATCH "^lib(.*)(\\.so\\..*)$" parts ${file})
  set(output ${CMAKE_MATCH_1})
  set(suffix ${CMAKE_MATCH_2})
  add_library(${target} SHARED ${source})
  target_compile_definitions(${target} PRIVATE ${ARGN})
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME ${output} SUFFIX ${suffix} LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fake_libraries/${folder})
  target_link_options(${target} PRIVATE -Wl,-soname,${file})
  add_dependencies(dynlib_component_tests ${target})
endfunction()

gpuassay_tests(dynlib_unit_tests unit
  SOURCES
  unit/driver_problem_test.cpp
  unit/library_support_test.cpp
  unit/loader_cache_test.cpp
  LIBRARIES gpuassay_agent)

gpuassay_tests(dynlib_component_tests component
  SOURCES
  component/cuda_libraries_test.cpp
  component/cuda_symbols_test.cpp
  component/in_child_test.cpp
  component/library_candidates_test.cpp
  LIBRARIES gpuassay_agent gpuassay_test_support)
target_compile_definitions(dynlib_component_tests PRIVATE FAKE_LIBRARIES_DIR="${PROJECT_BINARY_DIR}/fake_libraries")

gpuassay_fake_library(nccl_ok libnccl.so.2 support/fake_nccl.cpp FAKE_VERSION=22105)
gpuassay_fake_library(nccl_old libnccl.so.2 support/fake_nccl.cpp FAKE_VERSION=2804)
gpuassay_fake_library(nccl_incomplete libnccl.so.2 support/fake_nccl.cpp FAKE_MISSING)
gpuassay_fake_library(nccl_silent libnccl.so.2 support/fake_nccl.cpp FAKE_VERSION=0)
gpuassay_fake_library(nccl_crash libnccl.so.2 support/fake_nccl.cpp FAKE_CRASH)
gpuassay_fake_library(nccl_hang libnccl.so.2 support/fake_nccl.cpp FAKE_HANG)
gpuassay_fake_library(nvrtc libnvrtc.so.12 support/fake_nccl.cpp FAKE_VERSION=1)
gpuassay_fake_library(nvrtc libnvrtc-builtins.so.12.4 support/fake_nccl.cpp FAKE_VERSION=1)
foreach(version 11.11.3 12.8.4 13.1.0)
  string(REGEX MATCH "^([0-9]+)\\.([0-9]+)\\.([0-9]+)$" numbers ${version})
  set(numbers FAKE_MAJOR=${CMAKE_MATCH_1} FAKE_MINOR=${CMAKE_MATCH_2} FAKE_PATCH=${CMAKE_MATCH_3})
  set(major ${CMAKE_MATCH_1})
  gpuassay_fake_library(cublas_${major} libcublas.so.${major} support/fake_cublas_pair.cpp ${numbers})
  gpuassay_fake_library(cublas_${major} libcublasLt.so.${major} support/fake_cublas_pair.cpp ${numbers} FAKE_LIGHT)
endforeach()
gpuassay_fake_library(cuda_ok libcuda.so.1 support/fake_cuda_start.cpp
                      FAKE_CUDA_VERSION=12040 FAKE_INIT=0 FAKE_DEVICES=2)
gpuassay_fake_library(cuda_none libcuda.so.1 support/fake_cuda_start.cpp
                      FAKE_CUDA_VERSION=12040 FAKE_INIT=0 FAKE_DEVICES=0)
gpuassay_fake_library(cuda_stub libcuda.so.1 support/fake_cuda_start.cpp
                      FAKE_CUDA_VERSION=0 FAKE_INIT=34 FAKE_DEVICES=0)
gpuassay_fake_library(cuda_old libcuda.so.1 support/fake_cuda_start.cpp
                      FAKE_CUDA_VERSION=10020 FAKE_INIT=0 FAKE_DEVICES=1)
gpuassay_fake_library(cuda_compat libcuda.so.1 support/fake_cuda_start.cpp
                      FAKE_CUDA_VERSION=12080 FAKE_INIT=804 FAKE_DEVICES=0)

# Our declarations are compared with NVIDIA's headers: those setup fetched, else the installed toolkit's.
function(gpuassay_abi_tests name folder)
  set(sources "")
  foreach(pair cuda_driver=cuda.h nvml=nvml.h cublas=cublas_v2.h cublaslt=cublasLt.h cudnn=cudnn.h
               cudnn_backend=cudnn.h nccl=nccl.h)
    string(REPLACE "=" ";" pair ${pair})
    list(GET pair 0 library)
    list(GET pair 1 header)
    if(EXISTS ${folder}/${header})
      list(APPEND sources component/${library}_abi_test.cpp)
    else()
      message(STATUS "${header} of CUDA ${name} not found: our declarations are not compared with it")
    endif()
  endforeach()
  if(sources)
    string(MAKE_C_IDENTIFIER "cuda_${name}_abi_tests" target)
    gpuassay_tests(${target} component SOURCES ${sources} LIBRARIES gpuassay_agent)
    target_include_directories(${target} SYSTEM PRIVATE ${folder})
  endif()
endfunction()

gpuassay_abi_tests(11.8 ${PROJECT_SOURCE_DIR}/.cache/cuda-headers/11.8)
gpuassay_abi_tests(13.0 ${PROJECT_SOURCE_DIR}/.cache/cuda-headers/13.0)
if(EXISTS /usr/local/cuda/include/cuda.h)
  gpuassay_abi_tests(installed /usr/local/cuda/include)
endif()
