# Compiler settings that hold for every target.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)

set(CP_SANITIZE "" CACHE STRING "Sanitizers for all code, as for -fsanitize=")
set(CP_TEST_LIBRARIES "" CACHE STRING "Only the tests of these libraries go into unit_tests; empty = all")
option(CP_FUZZ "Build the libFuzzer targets" OFF)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Werror -Wno-missing-field-initializers
  -fno-omit-frame-pointer -Xclang -fno-pch-timestamp)
add_link_options(-fuse-ld=lld)

if(CP_SANITIZE)
  # vptr probes memory through a pipe, and so fails when a test takes the last descriptor.
  add_compile_options(-fsanitize=${CP_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all)
  # Reports need lines, not variables; this saves a quarter of the build.
  add_compile_options(-g1)
  add_link_options(-fsanitize=${CP_SANITIZE})
endif()
if(NOT CP_SANITIZE AND NOT CP_FUZZ)
  # What the programs do not reach is left out, and the rest lies denser in memory.
  add_compile_options(-ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections)
endif()
if(CP_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()
