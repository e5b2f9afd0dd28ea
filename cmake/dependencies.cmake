# Third-party libraries, each behind one target named gpuassay_dep_<library>; docs/DEPENDENCIES.md has the reasons.
# Header-only ones come from the system's include folders; OpenSSL, SQLite, libsodium and zlib are linked as static
# archives so that one binary runs on any distribution.
find_package(Threads REQUIRED)

function(gpuassay_static_library target archive)
  find_library(${target}_ARCHIVE ${archive} REQUIRED
               PATHS /usr/lib/x86_64-linux-gnu /usr/lib NO_CMAKE_FIND_ROOT_PATH)
  add_library(${target} INTERFACE)
  target_link_libraries(${target} INTERFACE ${${target}_ARCHIVE})
endfunction()

gpuassay_static_library(gpuassay_dep_crypto libcrypto.a)
gpuassay_static_library(gpuassay_dep_ssl libssl.a)
gpuassay_static_library(gpuassay_dep_sqlite libsqlite3.a)
if(GPUASSAY_OLD_GLIBC)
  # Keeps out what of SQLite is never used; it stands before the archive, see the file.
  add_library(gpuassay_sqlite_shim STATIC ${PROJECT_SOURCE_DIR}/cmake/sqlite_shim.c)
  set_property(TARGET gpuassay_dep_sqlite PROPERTY INTERFACE_LINK_LIBRARIES
               gpuassay_sqlite_shim ${gpuassay_dep_sqlite_ARCHIVE})
endif()
gpuassay_static_library(gpuassay_dep_sodium libsodium.a)
gpuassay_static_library(gpuassay_dep_zlib libz.a)
target_link_libraries(gpuassay_dep_crypto INTERFACE ${CMAKE_DL_LIBS} Threads::Threads)
target_link_libraries(gpuassay_dep_ssl INTERFACE gpuassay_dep_crypto)
target_link_libraries(gpuassay_dep_sqlite INTERFACE ${CMAKE_DL_LIBS} Threads::Threads m)
if(GPUASSAY_OLD_GLIBC)
  # Static archives built on a newer distribution name symbols an old glibc lacks; see the file.
  add_library(gpuassay_glibc_shim STATIC ${PROJECT_SOURCE_DIR}/cmake/glibc_shim.c)
  foreach(dep crypto ssl sqlite sodium zlib)
    target_link_libraries(gpuassay_dep_${dep} INTERFACE gpuassay_glibc_shim)
  endforeach()
endif()

# fmt and nlohmann_json are used header-only; a failed JSON access must throw, never abort.
add_library(gpuassay_dep_fmt INTERFACE)
target_compile_definitions(gpuassay_dep_fmt INTERFACE FMT_HEADER_ONLY=1)
add_library(gpuassay_dep_valijson INTERFACE)
target_compile_definitions(gpuassay_dep_valijson INTERFACE VALIJSON_USE_EXCEPTIONS=1)
if(GPUASSAY_VALIJSON_INCLUDE)
  target_include_directories(gpuassay_dep_valijson SYSTEM INTERFACE ${GPUASSAY_VALIJSON_INCLUDE})
endif()
add_library(gpuassay_dep_beast INTERFACE)
target_compile_definitions(gpuassay_dep_beast INTERFACE BOOST_ERROR_CODE_HEADER_ONLY=1 BOOST_ASIO_NO_DEPRECATED=1)
target_link_libraries(gpuassay_dep_beast INTERFACE gpuassay_dep_ssl Threads::Threads)
if(GPUASSAY_BOOST_INCLUDE)
  target_include_directories(gpuassay_dep_beast SYSTEM INTERFACE ${GPUASSAY_BOOST_INCLUDE})
endif()
