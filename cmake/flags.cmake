# One interface target carries every flag, each probed first: an old compiler drops a flag, it doesn't fail.
# Distributions own CMAKE_C_FLAGS; nothing here touches it.
include(CheckCCompilerFlag)
include(CheckCSourceRuns)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(hpc_flags INTERFACE)
target_compile_definitions(hpc_flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64
	HPC_VERSION="${PROJECT_VERSION}")

function(hpc_probe_flags)
	foreach(flag ${ARGN})
		string(MAKE_C_IDENTIFIER "HPC_HAS${flag}" var)
		check_c_compiler_flag("-Werror ${flag}" ${var})
		if(${var})
			target_compile_options(hpc_flags INTERFACE ${flag})
		endif()
	endforeach()
endfunction()

hpc_probe_flags(
	-Wall -Wextra -Wshadow -Wformat=2 -Wundef -Wvla -Wconversion -Wno-sign-conversion
	-Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings
	-Wswitch-enum -Wimplicit-fallthrough -Wdate-time -Wframe-larger-than=32768
	-Wno-missing-field-initializers
	-Werror=implicit-function-declaration -Werror=incompatible-pointer-types
	-Werror=int-conversion -Werror=return-type
	-Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wtrampolines -Wjump-misses-init
	-fno-strict-aliasing -fno-common
	"-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.")

if(HPC_WERROR)
	target_compile_options(hpc_flags INTERFACE -Werror)
endif()

if(HPC_SANITIZE)
	target_compile_definitions(hpc_flags INTERFACE HPC_SANITIZE)
	target_compile_options(hpc_flags INTERFACE -fsanitize=address,undefined
		-fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(hpc_flags INTERFACE -fsanitize=address,undefined)
else()
	hpc_probe_flags(-fstack-protector-strong -fstack-clash-protection
		-fcf-protection=full -mbranch-protection=standard
		-ftrivial-auto-var-init=zero -fstrict-flex-arrays=3
		-ffunction-sections -fdata-sections)
	# Fortify needs the optimiser; without it glibc only warns.
	if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
		target_compile_options(hpc_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
	endif()
	target_link_options(hpc_flags INTERFACE
		-Wl,-z,relro,-z,now,-z,noexecstack,--as-needed,--gc-sections)
	# As plain relocations, 24 bytes a pointer, the tables of names are an eighth of a program. Packed they need glibc 2.36, and a
	# linker that says so to ld.so (mold 1.10 doesn't): what comes out is run, so a cross build goes without.
	if(NOT CMAKE_CROSSCOMPILING)
		set(CMAKE_REQUIRED_LINK_OPTIONS -pie -Wl,-z,pack-relative-relocs)
		check_c_source_runs("static int a; int *volatile p = &a; int main(void) { return *p; }" HPC_HAS_RELR)
		unset(CMAKE_REQUIRED_LINK_OPTIONS)
	endif()
	if(HPC_HAS_RELR)
		target_link_options(hpc_flags INTERFACE -Wl,-z,pack-relative-relocs)
	endif()
endif()

if(HPC_FUZZ)
	target_compile_options(hpc_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# For a folder whose code runs once a boot: there a small program counts for more than a fast one. Nothing unwinds a stack
# in C; a debugger has the same tables in the debug information.
macro(hpc_small)
	if(NOT HPC_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
		add_compile_options(-Os -fno-asynchronous-unwind-tables -fno-unwind-tables)
	endif()
endmacro()
