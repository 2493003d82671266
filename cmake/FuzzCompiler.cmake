# Names what is missing for the libFuzzer targets, all of it at once and as Debian packages.
find_program(TICKPIPE_CLANG NAMES clang++-16)
set(missing "")
if(TICKPIPE_CLANG)
  execute_process(COMMAND "${TICKPIPE_CLANG}" -print-runtime-dir OUTPUT_VARIABLE runtime OUTPUT_STRIP_TRAILING_WHITESPACE)
  file(GLOB libraries "${runtime}/libclang_rt.fuzzer*.a")
  if(NOT libraries)
    set(missing "libclang-rt-16-dev")
  endif()
else()
  set(missing "clang-16 libclang-rt-16-dev")
endif()
if(missing)
  message(FATAL_ERROR "The libFuzzer targets need the Debian packages: ${missing}\n"
    "  apt-get install ${missing}\n"
    "or run scripts/fuzz.sh, which installs what is missing. Without them: -DTICKPIPE_BUILD_FUZZERS=OFF.")
endif()
