# Debian packages: `cmake --preset deb`, `cmake --build --preset deb`, `cpack --config build/deb/CPackConfig.cmake`.
# Built with the prefix /usr and a shared library, so that every file is where its package puts it.

# The file of the service is what the program prints.
set(service_config "${PROJECT_BINARY_DIR}/config.json")
add_custom_command(OUTPUT "${service_config}" COMMAND tickpipe default-config > "${service_config}" DEPENDS tickpipe
  VERBATIM)
add_custom_target(service_config ALL DEPENDS "${service_config}")
install(FILES "${service_config}" DESTINATION "${CMAKE_INSTALL_FULL_SYSCONFDIR}/tickpipe" COMPONENT server)
install(FILES packaging/tickpipe.service DESTINATION /lib/systemd/system COMPONENT server)

configure_file(packaging/changelog.in "${PROJECT_BINARY_DIR}/packaging/changelog" @ONLY)
# gzip -n leaves the time out, so that the same source gives the same package.
foreach(file IN ITEMS "${PROJECT_SOURCE_DIR}/CHANGELOG.md" "${PROJECT_SOURCE_DIR}/packaging/tickpipe.1"
    "${PROJECT_BINARY_DIR}/packaging/changelog")
  get_filename_component(name "${file}" NAME)
  execute_process(COMMAND gzip -9nc "${file}" OUTPUT_FILE "${PROJECT_BINARY_DIR}/packaging/${name}.gz"
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
install(FILES "${PROJECT_BINARY_DIR}/packaging/tickpipe.1.gz" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT server)

set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL server libraries development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PACKAGE_CONTACT "The tickpipe authors <tickpipe@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX "/usr")
set(CPACK_SET_DESTDIR ON)  # what belongs into /etc and /lib must go into the package, not there
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS OFF)

set(soname_package "libtickpipe${PROJECT_VERSION_MAJOR}")
set(CPACK_DEBIAN_SERVER_PACKAGE_NAME tickpipe-server)
set(CPACK_DEBIAN_SERVER_PACKAGE_SECTION net)
set(CPACK_COMPONENT_SERVER_DESCRIPTION "market-data server: quotes in, exact ticks and OHLC bars out
Takes bid/ask quotes of liquidity providers from feeds, over HTTP and
from files, and serves exact ticks and OHLC bars over REST, WebSocket and
event streams, in order, each once, kept across restarts.")
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/packaging/conffiles")
set(CPACK_DEBIAN_LIBRARIES_PACKAGE_NAME ${soname_package})
set(CPACK_DEBIAN_LIBRARIES_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_LIBRARIES_DESCRIPTION "market-data pipeline in a library
A program in C++ that links it takes quotes in, and gets exact ticks,
OHLC bars and a REST API out, in its own process.")
# CPack adds scripts that run ldconfig, which does no harm; Debian asks for the trigger.
file(WRITE "${PROJECT_BINARY_DIR}/packaging/shlibs"
  "libtickpipe ${PROJECT_VERSION_MAJOR} ${soname_package} (>= ${PROJECT_VERSION})\n")
set(CPACK_DEBIAN_LIBRARIES_PACKAGE_CONTROL_EXTRA
  "${PROJECT_SOURCE_DIR}/packaging/triggers;${PROJECT_BINARY_DIR}/packaging/shlibs")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libtickpipe-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${soname_package} (= ${PROJECT_VERSION})")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "market-data pipeline in a library: headers
What is needed to build programs with tickpipe: headers, CMake package,
pkg-config file.")

foreach(component IN ITEMS server libraries development)
  string(TOUPPER ${component} name)
  set(docs "${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${name}_PACKAGE_NAME}")
  install(FILES packaging/copyright DESTINATION "${docs}" COMPONENT ${component})
  install(FILES "${PROJECT_BINARY_DIR}/packaging/changelog.gz" "${PROJECT_BINARY_DIR}/packaging/CHANGELOG.md.gz"
    DESTINATION "${docs}" COMPONENT ${component})
endforeach()
include(CPack)
