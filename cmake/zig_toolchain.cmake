# Portable release: zig's clang fixes the glibc version (2.27, Ubuntu 18.04) and the instruction set, and links
# libc++ statically. The zig-* wrappers call the ziglang package of the project's virtual environment.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(GPUASSAY_OLD_GLIBC ON)
set(CMAKE_C_COMPILER ${CMAKE_CURRENT_LIST_DIR}/zig-cc)
set(CMAKE_CXX_COMPILER ${CMAKE_CURRENT_LIST_DIR}/zig-c++)
set(CMAKE_AR ${CMAKE_CURRENT_LIST_DIR}/zig-ar)
set(CMAKE_RANLIB ${CMAKE_CURRENT_LIST_DIR}/zig-ranlib)
# -idirafter: zig's own libc headers first, the distribution's third-party headers after them.
set(flags "-target x86_64-linux-gnu.2.27 -mcpu=x86_64 -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu")
set(CMAKE_C_FLAGS_INIT ${flags})
set(CMAKE_CXX_FLAGS_INIT ${flags})
set(CMAKE_EXE_LINKER_FLAGS_INIT "-target x86_64-linux-gnu.2.27")
# Shipped without symbols; there is no debug information in a Release build to lose.
set(CMAKE_EXE_LINKER_FLAGS_RELEASE_INIT "-s -Wl,--gc-sections")
