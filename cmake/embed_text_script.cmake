# Writes HEADER: the bytes of SOURCE as an array, so that no length limit of string literals applies.
file(READ ${SOURCE} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
file(
  WRITE ${HEADER}
  "#pragma once\n#include <string_view>\nnamespace gpuassay::embedded {\n"
  "inline constexpr char k${IDENTIFIER}Bytes[] = {${bytes}'\\0'};\n"
  "inline constexpr std::string_view k${IDENTIFIER}{k${IDENTIFIER}Bytes, sizeof(k${IDENTIFIER}Bytes) - 1};\n}\n")
