# How every target of tickpipe is compiled, and the two ways to declare one: a library per folder, a test binary per
# folder.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(TICKPIPE_CCACHE ccache)
if(TICKPIPE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${TICKPIPE_CCACHE}")
endif()

add_library(tickpipe_flags INTERFACE)
target_compile_options(tickpipe_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wcast-align -Werror -fno-omit-frame-pointer)
# g++ 12 sees overlapping copies in inlined std::string code where there are none (GCC bug 105651).
target_compile_options(tickpipe_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
target_include_directories(tickpipe_flags INTERFACE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
if(TICKPIPE_SANITIZE)
  target_compile_options(tickpipe_flags INTERFACE -fsanitize=${TICKPIPE_SANITIZE} -fno-sanitize-recover=all)
  # g++ 12 warns falsely once sanitizers change its inlining; a build without them has to be clean.
  target_compile_options(tickpipe_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-error>)
  target_link_options(tickpipe_flags INTERFACE -fsanitize=${TICKPIPE_SANITIZE})
endif()

# tickpipe_library(core SOURCES a.cpp b.cpp [PUBLIC libs...] [PRIVATE libs...]) declares the static library of one
# folder under src/, reachable as tickpipe::core.
function(tickpipe_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(tickpipe_${name} STATIC ${arg_SOURCES})
  add_library(tickpipe::${name} ALIAS tickpipe_${name})
  target_link_libraries(tickpipe_${name} PUBLIC ${arg_PUBLIC} PRIVATE tickpipe_flags ${arg_PRIVATE})
  target_include_directories(tickpipe_${name} PUBLIC "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
endfunction()

# tickpipe_test(unit_core DIRECTORY unit/core LIBRARIES libs...) builds one binary from every *_test.cpp of a folder,
# or from those that fit PATTERN.
function(tickpipe_test name)
  cmake_parse_arguments(arg "" "DIRECTORY;PATTERN;TIMEOUT" "LIBRARIES;LABELS" ${ARGN})
  if(NOT arg_PATTERN)
    set(arg_PATTERN "*_test.cpp")
  endif()
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${arg_DIRECTORY}/${arg_PATTERN}")
  if(NOT sources)
    message(FATAL_ERROR "${name}: no *_test.cpp in ${arg_DIRECTORY}")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_executable(${name} ${sources})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_compile_definitions(${name} PRIVATE TICKPIPE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE tickpipe_flags ${arg_LIBRARIES} GTest::gmock GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()
include(GoogleTest OPTIONAL)
