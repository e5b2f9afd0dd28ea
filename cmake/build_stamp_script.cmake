# Writes HEADER from VERSION, BUILD and the commit of SOURCE_DIR, unless it already says the same.
execute_process(
  COMMAND git -C ${SOURCE_DIR} rev-parse --show-toplevel HEAD
  OUTPUT_VARIABLE answer
  RESULT_VARIABLE failed
  ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
set(commit unknown)
# A source archive unpacked inside somebody else's repository must not take that one's commit.
if(NOT failed AND answer MATCHES "^(.*)\n([0-9a-f]+)$")
  set(found_commit ${CMAKE_MATCH_2})
  file(REAL_PATH "${CMAKE_MATCH_1}" top)
  file(REAL_PATH "${SOURCE_DIR}" source)
  if(top STREQUAL source)
    set(commit ${found_commit})
  endif()
endif()

set(text
    "#pragma once\n#include <string_view>\nnamespace gpuassay::embedded {\n"
    "inline constexpr std::string_view kBuildVersion = \"${VERSION}\"\;\n"
    "inline constexpr std::string_view kBuildCommit = \"${commit}\"\;\n"
    "inline constexpr std::string_view kBuildKind = \"${BUILD}\"\;\n}\n")
string(CONCAT text ${text})
set(old "")
if(EXISTS ${HEADER})
  file(READ ${HEADER} old)
endif()
if(NOT text STREQUAL old)
  file(WRITE ${HEADER} "${text}")
endif()
