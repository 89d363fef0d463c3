# hpc_floor(NAME [ROOT dir] USES floor... LINKS library...)
#
# One floor of the building: every .c of ROOT/NAME but a program's main.c, in one static library that sees
# only the floors it names. ROOT is the directory of the call unless given; a floor's headers are included
# as "NAME/header.h". Four things are checked in ctest, label `floor`:
#   floor.NAME   the floor links with nothing undefined against the floors it names, and nothing else
#   floor.edges  no include goes upward or sideways        (floor-edges.cmake)
#   floor.doors  each third-party library has its one door (floor-doors.cmake)
#   floor.circles  no two files of a floor need each other (floor-circles.py)
# SHARED makes a changed floor link alone, which is what a mutation run wants; the checks need STATIC.
set(HPC_FLOOR_LIBRARY STATIC CACHE STRING "What a floor is built as: STATIC or SHARED")

function(hpc_floor name)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "ROOT" "USES;LINKS")
	if(NOT arg_ROOT)
		set(arg_ROOT ${CMAKE_CURRENT_SOURCE_DIR})
	endif()
	file(GLOB sources CONFIGURE_DEPENDS ${arg_ROOT}/${name}/*.c)
	list(FILTER sources EXCLUDE REGEX "/main\\.c$")
	add_library(hpc_${name} ${HPC_FLOOR_LIBRARY} ${sources})
	set(below)
	foreach(floor ${arg_USES})
		list(APPEND below hpc_${floor})
	endforeach()
	target_include_directories(hpc_${name} PUBLIC ${arg_ROOT})
	target_link_libraries(hpc_${name} PUBLIC hpc_flags ${below} PRIVATE ${arg_LINKS})
	set_property(GLOBAL APPEND PROPERTY HPC_FLOORS ${name})
	set_property(GLOBAL PROPERTY HPC_FLOOR_${name} "${arg_USES}")
	set_property(GLOBAL PROPERTY HPC_FLOOR_DIR_${name} "${arg_ROOT}/${name}")

	# clang leaves the sanitizer runtime out of shared objects, so there "nothing undefined" can't hold.
	if(BUILD_TESTING AND NOT HPC_FUZZ AND NOT (HPC_SANITIZE AND CMAKE_C_COMPILER_ID MATCHES Clang))
		add_library(closed_${name} MODULE EXCLUDE_FROM_ALL $<TARGET_OBJECTS:hpc_${name}>)
		target_link_libraries(closed_${name} PRIVATE hpc_flags ${below} ${arg_LINKS})
		target_link_options(closed_${name} PRIVATE -Wl,--no-undefined)
		add_test(NAME floor.${name}
			COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target closed_${name})
		set_tests_properties(floor.${name} PROPERTIES LABELS floor TIMEOUT 300 RESOURCE_LOCK build)
	endif()
endfunction()

# Called once, after the last floor: the whole-building checks.
function(hpc_floor_checks)
	get_property(floors GLOBAL PROPERTY HPC_FLOORS)
	set(graph)
	set(archives)
	set(rows)
	foreach(floor ${floors})
		get_property(uses GLOBAL PROPERTY HPC_FLOOR_${floor})
		get_property(dir GLOBAL PROPERTY HPC_FLOOR_DIR_${floor})
		string(REPLACE ";" "," uses "${uses}")
		list(APPEND graph "${floor}:${uses}:${dir}")
		list(APPEND archives $<TARGET_FILE:hpc_${floor}>)
		list(APPEND rows ${floor}=$<TARGET_FILE:hpc_${floor}>=${dir})
	endforeach()
	string(REPLACE ";" "|" graph "${graph}")
	string(REPLACE ";" "|" archives "${archives}")
	add_test(NAME floor.edges COMMAND ${CMAKE_COMMAND} -DGRAPH=${graph}
		-P ${PROJECT_SOURCE_DIR}/cmake/floor-edges.cmake)
	add_test(NAME floor.doors COMMAND ${CMAKE_COMMAND} -DARCHIVES=${archives}
		-DNM=${CMAKE_NM} -P ${PROJECT_SOURCE_DIR}/cmake/floor-doors.cmake)
	add_test(NAME floor.circles COMMAND /usr/bin/python3 ${PROJECT_SOURCE_DIR}/cmake/floor-circles.py ${CMAKE_NM} ${rows})
	set_tests_properties(floor.edges floor.doors floor.circles PROPERTIES LABELS floor TIMEOUT 60)
endfunction()
