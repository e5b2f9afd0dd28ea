# gpuassay_build_stamp: a target that keeps generated/build_stamp.h (version, commit, compiler) up to date. It looks at
# git on every build and touches the header only when HEAD has moved, so that one small file is compiled again.
add_custom_target(
  gpuassay_build_stamp
  COMMAND
    ${CMAKE_COMMAND} -DSOURCE_DIR=${PROJECT_SOURCE_DIR} -DHEADER=${PROJECT_BINARY_DIR}/generated/build_stamp.h
    -DVERSION=${PROJECT_VERSION} "-DBUILD=$<CONFIG> ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}" -P
    ${CMAKE_CURRENT_LIST_DIR}/build_stamp_script.cmake
  BYPRODUCTS ${PROJECT_BINARY_DIR}/generated/build_stamp.h
  COMMENT "" VERBATIM)
