# gpuassay_options: what every target of ours is compiled with. Use: target_link_libraries(t PRIVATE gpuassay_options)
add_library(gpuassay_options INTERFACE)
target_include_directories(gpuassay_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_options(
  gpuassay_options
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
            -Woverloaded-virtual -Wnull-dereference -Werror
            # Scores must have the same digits on every build: no fused multiply-add behind our back.
            -ffp-contract=off
            # __FILE__ and std::source_location name files from the repository's root: no build path in a program.
            -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives of these two inside inlined library code at -O2.
  target_compile_options(gpuassay_options INTERFACE -Wno-null-dereference -Wno-restrict)
endif()
if(GPUASSAY_SANITIZE)
  target_compile_options(gpuassay_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
                                                    -fno-omit-frame-pointer)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 sees uninitialised members in std::regex once the sanitizers are on (GCC bug 105562).
    target_compile_options(gpuassay_options INTERFACE -Wno-maybe-uninitialized)
  endif()
  target_link_options(gpuassay_options INTERFACE -fsanitize=address,undefined)
endif()
if(GPUASSAY_FUZZ)
  target_compile_options(gpuassay_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(GPUASSAY_COVERAGE)
  target_link_options(gpuassay_options INTERFACE --coverage)
endif()

# gpuassay_measure_coverage(TARGET): its lines count in scripts/coverage. Targets of which most is pure, value types in and
# value types out: what does I/O is tested too, but its error paths are not all reachable, and counting slows down what
# measures.
function(gpuassay_measure_coverage target)
  if(GPUASSAY_COVERAGE)
    target_compile_options(${target} PRIVATE --coverage -fprofile-update=atomic)
  endif()
endfunction()
