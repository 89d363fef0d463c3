# `cpack` makes one Debian package of the agent: binary, units, man pages, completion.
# It never enables or starts anything: the image recipe does.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hpc-agent)
set(CPACK_PACKAGE_VENDOR "hpc-node")
set(CPACK_PACKAGE_CONTACT "hpc-node maintainers <maintainers@localhost>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
include(CPack)
