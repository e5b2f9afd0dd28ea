# gpuassay_kernels: a library that holds every image of kernels/*.cu, with the table that
# agent/backends/cuda_images.h declares. PTX is made by zig's clang, cubins by the two ptxas of
# scripts/requirements/kernels.txt; without them PTX alone is embedded, which drivers compile themselves.
# A ptxas of the machine's own CUDA is never taken: its generation would depend on the machine. To leave one out, set
# GPUASSAY_PTXAS_11 or GPUASSAY_PTXAS_13 to OFF.
set(GPUASSAY_PYTHON ${PROJECT_SOURCE_DIR}/.venv/bin/python CACHE FILEPATH "Python with the ziglang package")
if(NOT EXISTS ${GPUASSAY_PYTHON})
  message(FATAL_ERROR "${GPUASSAY_PYTHON} is missing: run ./scripts/setup, or set GPUASSAY_PYTHON to a Python that has ziglang")
endif()

foreach(generation "11;cuda_nvcc" "13;cu13")
  list(GET generation 0 toolkit)
  list(GET generation 1 folder)
  file(GLOB found ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/nvidia/${folder}/bin)
  find_program(GPUASSAY_PTXAS_${toolkit} ptxas PATHS ${found} NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
  if(NOT GPUASSAY_PTXAS_${toolkit})
    message(STATUS "ptxas of CUDA ${toolkit} not found: kernels are embedded without its cubins, as PTX")
  endif()
endforeach()

set(GPUASSAY_KERNEL_FOLDER ${PROJECT_BINARY_DIR}/generated/kernels)
set(GPUASSAY_KERNEL_SCRIPT ${PROJECT_SOURCE_DIR}/cmake/kernel_image.py)
file(MAKE_DIRECTORY ${GPUASSAY_KERNEL_FOLDER})
# Each entry: module|kind|architecture|ISA|toolkit|file
set(gpuassay_kernel_images "")

# gpuassay_ptx(<module> <architecture> <ISA> <variable>): makes the PTX and sets the variable to its path.
function(gpuassay_ptx module architecture isa variable)
  set(ptx ${GPUASSAY_KERNEL_FOLDER}/${module}_${architecture}.ptx)
  add_custom_command(
    OUTPUT ${ptx} ${ptx}.z
    COMMAND ${GPUASSAY_PYTHON} ${GPUASSAY_KERNEL_SCRIPT} ptx --source ${PROJECT_SOURCE_DIR}/kernels/${module}.cu
            --include ${PROJECT_SOURCE_DIR} --arch ${architecture} --isa ${isa} --output ${ptx} --depfile ${ptx}.d
    DEPENDS ${PROJECT_SOURCE_DIR}/kernels/${module}.cu ${GPUASSAY_KERNEL_SCRIPT}
    DEPFILE ${ptx}.d
    COMMENT "PTX of ${module} for sm_${architecture}"
    VERBATIM)
  set(${variable} ${ptx} PARENT_SCOPE)
  set(gpuassay_kernel_images ${gpuassay_kernel_images} "${module}|ptx|${architecture}|${isa}|0|${ptx}.z" PARENT_SCOPE)
endfunction()

# gpuassay_kernel_module(<module> <architecture> <ISA> [CUDA_11 <architectures>] [CUDA_13 <architectures>])
# embeds kernels/<module>.cu as PTX of that lowest architecture and ISA, and as cubins made from it.
function(gpuassay_kernel_module module architecture isa)
  cmake_parse_arguments(arg "" "" "CUDA_11;CUDA_13" ${ARGN})
  gpuassay_ptx(${module} ${architecture} ${isa} ptx)
  foreach(toolkit 11 13)
    if(NOT GPUASSAY_PTXAS_${toolkit})
      continue()
    endif()
    foreach(target ${arg_CUDA_${toolkit}})
      set(cubin ${GPUASSAY_KERNEL_FOLDER}/${module}_${target}_cuda${toolkit}.cubin)
      add_custom_command(
        OUTPUT ${cubin} ${cubin}.z
        COMMAND ${GPUASSAY_PYTHON} ${GPUASSAY_KERNEL_SCRIPT} cubin --ptxas ${GPUASSAY_PTXAS_${toolkit}}
                --toolkit ${toolkit} --arch ${target} --source ${ptx} --output ${cubin}
        DEPENDS ${ptx} ${GPUASSAY_KERNEL_SCRIPT}
        COMMENT "cubin of ${module} for sm_${target}, CUDA ${toolkit}"
        VERBATIM)
      list(APPEND gpuassay_kernel_images "${module}|cubin|${target}|0|${toolkit}|${cubin}.z")
    endforeach()
  endforeach()
  set(gpuassay_kernel_images ${gpuassay_kernel_images} PARENT_SCOPE)
endfunction()

gpuassay_kernel_module(base 35 32 CUDA_11 35 50 60 70 75 80 90 CUDA_13 100 120)
gpuassay_kernel_module(floor 35 32 CUDA_11 35 50 60 70 75 80 90 CUDA_13 100 120)
gpuassay_kernel_module(sm60 60 50 CUDA_11 60 70 75 80 90 CUDA_13 100 120)
gpuassay_kernel_module(sm61 61 50 CUDA_11 61 70 75 80 90 CUDA_13 100 120)
gpuassay_kernel_module(sm70 70 64 CUDA_11 70)
gpuassay_kernel_module(sm75 75 65 CUDA_11 75)
gpuassay_kernel_module(sm80 80 70 CUDA_11 80 90 CUDA_13 100 120)
# fp8 needs PTX 8.4: the ptxas of 11.8 has no 8.9 code for it.
gpuassay_kernel_module(sm89 89 84 CUDA_13 89 90 100 120)
gpuassay_kernel_module(sm90 90 78 CUDA_11 90 CUDA_13 100 120)

# Writes the table: one assembler block per image, as compiling megabytes of array takes seconds and .incbin none.
function(gpuassay_kernel_table source)
  set(blocks "")
  set(declarations "")
  set(rows "")
  set(number 0)
  foreach(image ${gpuassay_kernel_images})
    string(REPLACE "|" ";" image "${image}")
    list(GET image 0 module)
    list(GET image 1 kind)
    list(GET image 2 architecture)
    list(GET image 3 isa)
    list(GET image 4 toolkit)
    list(GET image 5 file)
    set(name gpuassay_image_${number})
    string(APPEND blocks "asm(\".section .rodata\\n.balign 8\\n.globl ${name}, ${name}_end\\n"
                         ".hidden ${name}, ${name}_end\\n${name}:\\n.incbin \\\"${file}\\\"\\n${name}_end:\\n"
                         ".text\\n\");\n")
    string(APPEND declarations "extern const std::byte ${name}[], ${name}_end[];\n")
    string(APPEND rows "      {\"${module}\", ImageKind::${kind}, ${architecture}, ${isa}, ${toolkit}, "
                       "{${name}, ${name}_end}},\n")
    math(EXPR number "${number} + 1")
  endforeach()
  string(CONCAT text "// Made by cmake/kernels.cmake.\n#include \"agent/backends/cuda_images.h\"\n\n${blocks}\n"
                     "extern \"C\" {\n${declarations}}\n\nnamespace gpuassay {\n\n"
                     "std::span<const CudaImage> embedded_images() {\n  static const CudaImage kImages[] = {\n${rows}  };\n"
                     "  return kImages;\n}\n\n}  // namespace gpuassay\n")
  file(CONFIGURE OUTPUT ${source} CONTENT "${text}" @ONLY)
endfunction()

set(gpuassay_kernel_files ${gpuassay_kernel_images})
list(TRANSFORM gpuassay_kernel_files REPLACE "^.*[|]" "")
gpuassay_kernel_table(${GPUASSAY_KERNEL_FOLDER}/kernel_images.cpp)
set_source_files_properties(${GPUASSAY_KERNEL_FOLDER}/kernel_images.cpp PROPERTIES OBJECT_DEPENDS
                            "${gpuassay_kernel_files}")

add_library(gpuassay_kernels STATIC ${GPUASSAY_KERNEL_FOLDER}/kernel_images.cpp ${gpuassay_kernel_files})
target_link_libraries(gpuassay_kernels PRIVATE gpuassay_options)
# A table made by a script is no style of ours to check.
set_target_properties(gpuassay_kernels PROPERTIES CXX_CLANG_TIDY "")
