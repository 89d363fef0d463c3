# `cpack` makes four packages for Debian and four of rpm: hpc-agent (program, units, its pages and completion), for nodes,
# hpc-fleet (program, unit, the programs that Slurm calls), for heads, hpc-cluster (program, table of instance types), for workstations, and hpc-imagebuild (program, recipes, its page and completion), for who builds images. They never enable or start anything: the
# image's recipe does, or whoever installs them. An rpm's dependencies are those of the distribution it is built on.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hpc-node)
set(CPACK_PACKAGE_VENDOR "hpc-node")
set(HPC_MAINTAINER "hpc-node maintainers <maintainers@hpc-node.invalid>" CACHE STRING "Who the packages say they are from")
set(HPC_RELEASE_DATE "Sat, 28 Nov 2026 00:00:00 +0000") # of this version, for the packages' changelog
set(CPACK_PACKAGE_CONTACT "${HPC_MAINTAINER}")
set(CPACK_COMPONENTS_ALL agent fleet cluster imagebuilder)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own

set(agent_summary "turn a freshly booted EC2 instance into a working Slurm node")
set(agent_text "Reads who the instance is from the metadata service and the cluster's
configuration from S3, mounts file systems, sets up munge and Slurm, and says
ready when the controller lists the node. Takes the configuration of AWS
ParallelCluster unchanged. Nothing of it keeps running when it is done.")
set(fleet_summary "launch and end the instances of a Slurm cluster's nodes")
set(fleet_text "Runs on the head: launches instances of EC2 as slurmctld resumes nodes, and
ends them as it suspends them. A journal and tokens make sure that no crash
launches one twice; what EC2 can't give is told as the node's reason.")
set(cluster_summary "make a Slurm cluster on AWS of a ParallelCluster file")
set(cluster_text "Checks a cluster's configuration and writes the CloudFormation stack of it: the
head, its volumes, security groups, roles and file systems. Runs on a
workstation; needs no Node.js, no Lambda and no database in the account.")
set(imagebuilder_summary "bake the image that the nodes of a Slurm cluster boot from")
set(imagebuilder_text "Builds disks, tars and AMIs of recipes in layers, reproducibly and without a
loop device or a mount; locks their packages, starts them in QEMU, verifies
what they carry, compares them, and publishes them through EBS direct.")

# ---- .deb ----
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_AGENT_PACKAGE_NAME hpc-agent)
set(CPACK_DEBIAN_FLEET_PACKAGE_NAME hpc-fleet)
set(CPACK_DEBIAN_FLEET_PACKAGE_RECOMMENDS "slurmctld, slurm-client")
set(CPACK_DEBIAN_CLUSTER_PACKAGE_NAME hpc-cluster)
set(CPACK_DEBIAN_IMAGEBUILDER_PACKAGE_NAME hpc-imagebuild)
# What they run: without it the package works, and says at the verb what is missing.
set(CPACK_DEBIAN_AGENT_PACKAGE_SUGGESTS "nftables") # nft(8) shows the lock of the metadata service; nothing runs it
set(CPACK_DEBIAN_AGENT_PACKAGE_RECOMMENDS "munge, slurmd, nfs-common")
set(CPACK_DEBIAN_IMAGEBUILDER_PACKAGE_RECOMMENDS
	"mmdebstrap, fdisk, e2fsprogs, dosfstools, mtools, grub-common, grub-pc-bin, grub-efi-amd64-bin")
set(CPACK_DEBIAN_IMAGEBUILDER_PACKAGE_SUGGESTS "qemu-system-x86, qemu-utils, ovmf, dnf, rpm")

# ---- .rpm ----
set(CPACK_RPM_COMPONENT_INSTALL ON)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE Apache-2.0)
set(CPACK_RPM_AGENT_PACKAGE_NAME hpc-agent)
set(CPACK_RPM_FLEET_PACKAGE_NAME hpc-fleet)
set(CPACK_RPM_CLUSTER_PACKAGE_NAME hpc-cluster)
set(CPACK_RPM_IMAGEBUILDER_PACKAGE_NAME hpc-imagebuild)
set(CPACK_RPM_SPEC_MORE_DEFINE "%define _build_id_links none")
# The distribution's own directories.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
	/usr/sbin /usr/lib/systemd /usr/lib/systemd/system /usr/lib/systemd/system-preset /usr/lib/modules-load.d /usr/bin /usr/share/man /usr/share/man/man1 /usr/share/man/man5 /usr/share/man/man8
	/usr/share/bash-completion /usr/share/bash-completion/completions /usr/share/doc /usr/share/lintian /usr/share/lintian/overrides)

foreach(component agent fleet cluster imagebuilder)
	string(TOUPPER ${component} upper)
	string(REPLACE "\n" "\n " text "${${component}_text}")
	set(CPACK_DEBIAN_${upper}_DESCRIPTION "${${component}_summary}\n${${component}_text}")
	set(CPACK_RPM_${upper}_PACKAGE_SUMMARY "${${component}_summary}")
	set(CPACK_RPM_${upper}_PACKAGE_DESCRIPTION "${${component}_text}")
	# What Debian's policy wants in each package.
	set(package ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
	set(doc ${CMAKE_CURRENT_BINARY_DIR}/doc/${package})
	set(HPC_PACKAGE ${package})
	configure_file(${CMAKE_CURRENT_LIST_DIR}/package/changelog.in ${doc}/changelog @ONLY)
	add_custom_command(OUTPUT ${doc}/changelog.gz DEPENDS ${doc}/changelog VERBATIM
		COMMAND gzip -9nc ${doc}/changelog > ${doc}/changelog.gz)
	add_custom_target(changelog_${package} ALL DEPENDS ${doc}/changelog.gz)
	install(FILES ${doc}/changelog.gz ${CMAKE_CURRENT_LIST_DIR}/package/copyright COMPONENT ${component}
		DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${package})
	install(FILES ${CMAKE_CURRENT_LIST_DIR}/package/${package}.overrides RENAME ${package} COMPONENT ${component}
		DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/lintian/overrides)
endforeach()
include(CPack)
