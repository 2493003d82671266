# What `cmake --install` and `cpack` put where. Three components, one Debian package each: server, libraries,
# development.
include(CMakePackageConfigHelpers)

install(TARGETS tickpipe_public EXPORT tickpipe
  LIBRARY COMPONENT libraries NAMELINK_COMPONENT development
  ARCHIVE COMPONENT development)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/tickpipe" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  COMPONENT development FILES_MATCHING PATTERN "*.h")

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/tickpipe")
install(EXPORT tickpipe NAMESPACE tickpipe:: FILE tickpipe-targets.cmake DESTINATION "${package_dir}"
  COMPONENT development)
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/tickpipe-config.cmake.in"
  "${PROJECT_BINARY_DIR}/tickpipe-config.cmake" INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
# While it is 0.x a minor version may change the interface.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/tickpipe-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/tickpipe-config.cmake" "${PROJECT_BINARY_DIR}/tickpipe-config-version.cmake"
  DESTINATION "${package_dir}" COMPONENT development)

# A static library needs at link time what a shared one has taken along.
set(libraries "-lrocksdb -lsimdjson -ldate-tz -lz -lcrypto -pthread")
if(BUILD_SHARED_LIBS)
  set(TICKPIPE_PC_LIBS "")
  set(TICKPIPE_PC_LIBS_PRIVATE " ${libraries}")
else()
  set(TICKPIPE_PC_LIBS " ${libraries}")
  set(TICKPIPE_PC_LIBS_PRIVATE "")
endif()
file(RELATIVE_PATH TICKPIPE_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")  # the tree may be moved
string(REGEX REPLACE "/$" "" TICKPIPE_PC_PREFIX "${TICKPIPE_PC_PREFIX}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/tickpipe.pc.in" "${PROJECT_BINARY_DIR}/tickpipe.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/tickpipe.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)

install(TARGETS tickpipe RUNTIME COMPONENT server)
