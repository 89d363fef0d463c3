# `cpack` makes two Debian packages: hpc-agent (binary, units, man pages, completion) and hpc-imagebuild
# (binary, recipes). They never enable or start anything: the image recipe does.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hpc-node)
set(CPACK_PACKAGE_VENDOR "hpc-node")
set(CPACK_PACKAGE_CONTACT "hpc-node maintainers <maintainers@localhost>")
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL agent imagebuilder)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_AGENT_PACKAGE_NAME hpc-agent)
set(CPACK_COMPONENT_AGENT_DESCRIPTION "Turns a freshly booted EC2 instance into a working Slurm node")
set(CPACK_DEBIAN_IMAGEBUILDER_PACKAGE_NAME hpc-imagebuild)
set(CPACK_COMPONENT_IMAGEBUILDER_DESCRIPTION "Prepares the image that Slurm nodes on EC2 boot from")
# What they run: without it the package works, and says at the verb what is missing.
set(CPACK_DEBIAN_AGENT_PACKAGE_RECOMMENDS "munge, slurmd, nfs-common, nftables")
set(CPACK_DEBIAN_IMAGEBUILDER_PACKAGE_RECOMMENDS
	"mmdebstrap, fdisk, e2fsprogs, dosfstools, mtools, grub-common, grub-pc-bin, grub-efi-amd64-bin")
set(CPACK_DEBIAN_IMAGEBUILDER_PACKAGE_SUGGESTS "qemu-system-x86, qemu-utils, ovmf, dnf, rpm")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
include(CPack)
