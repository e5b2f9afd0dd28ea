# Tests of kernels/: formats and references, the embedded images, and the sources themselves run on the host.
gpuassay_tests(kernel_unit_tests unit
  SOURCES
  unit/compute_reference_test.cpp
  unit/cuda_images_test.cpp
  unit/number_formats_test.cpp
  unit/random_normal_test.cpp
  LIBRARIES gpuassay_agent)

gpuassay_tests(kernel_component_tests component TOGETHER OPTIMIZED
  SOURCES
  component/kernel_images_test.cpp
  component/kernels_on_host_test.cpp
  component/floor_kernels_on_host_test.cpp
  LIBRARIES gpuassay_agent)
# kernels/device.h is replaced by the one for the host; device attributes and pragmas mean nothing there.
target_include_directories(kernel_component_tests BEFORE PRIVATE support/host_device)
set_source_files_properties(component/kernels_on_host_test.cpp component/floor_kernels_on_host_test.cpp PROPERTIES
  COMPILE_OPTIONS "-Wno-attributes;-Wno-unknown-pragmas;-O2")

add_test(NAME check.kernels_build COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/e2e/kernels_build_test)
set_tests_properties(check.kernels_build PROPERTIES LABELS check TIMEOUT 300)
