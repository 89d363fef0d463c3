# Each third-party library is called from one place, and the calls we ban from none.
# Reads `nm -A -u` of every floor's archive: "libhpc_floor.a:member.c.o:   U symbol".
cmake_minimum_required(VERSION 3.22)

# symbol prefix -> the members (floor/file stem) that may call it
set(doors
	"curl_=http/http"
	"cJSON_=data/json"
	"yaml_parser_=data/yaml"
	"yaml_event_=data/yaml"
	"mnt_=machine/mount"
	"blkid_=machine/disk_look"
	"mnl_=machine/filter"
	"nftnl_=machine/filter"
	"sd_bus_=machine/unit"
	"sd_journal_=os/journal"
	"sd_notify=os/notify"
	"sd_event_=plan/run"
	"EVP_=base/digest,cloud/sigv4"
	"HMAC=base/digest,cloud/sigv4"
	"inflate=data/gzip"
	"ext2fs_=disk/ext4"
	"archive_=archive/tar,archive/pack"
	"seccomp_=sandbox/sandbox_confine"
	"crc32=disk/gpt")
set(banned strcpy strcat sprintf vsprintf strtok atoi atol atoll system popen mktemp tmpnam gets
	localtime gmtime strncpy strncat)

set(bad 0)
set(seen 0)
string(REPLACE "|" ";" archives "${ARCHIVES}")
foreach(archive ${archives})
	string(REGEX MATCH "libhpc_([a-z]+)\\.a$" _ "${archive}")
	set(floor ${CMAKE_MATCH_1})
	execute_process(COMMAND ${NM} -A -u ${archive} OUTPUT_VARIABLE out RESULT_VARIABLE rc ERROR_QUIET)
	if(NOT rc EQUAL 0)
		message(FATAL_ERROR "nm ${archive}: ${rc}")
	endif()
	string(REPLACE "\n" ";" lines "${out}")
	foreach(line ${lines})
		if(NOT line MATCHES ":([^:]+)\\.c\\.o: +U ([A-Za-z0-9_]+)")
			continue()
		endif()
		math(EXPR seen "${seen} + 1")
		set(member "${floor}/${CMAKE_MATCH_1}")
		set(symbol "${CMAKE_MATCH_2}")
		if(symbol IN_LIST banned)
			message(SEND_ERROR "${member}.c calls ${symbol}(), which is banned")
			set(bad 1)
		endif()
		foreach(door ${doors})
			string(REGEX MATCH "^([^=]+)=(.*)$" _ "${door}")
			set(prefix ${CMAKE_MATCH_1})
			string(REPLACE "," ";" owners "${CMAKE_MATCH_2}")
			string(FIND "${symbol}" "${prefix}" at)
			if(NOT at EQUAL 0)
				continue()
			endif()
			set(allowed 0)
			foreach(owner ${owners})
				string(FIND "${member}" "${owner}" owner_at)
				if(owner_at EQUAL 0)
					set(allowed 1)
				endif()
			endforeach()
			if(NOT allowed)
				message(SEND_ERROR "${member}.c calls ${symbol}(): the door to ${prefix}* is ${owners}")
				set(bad 1)
			endif()
		endforeach()
	endforeach()
endforeach()
if(seen EQUAL 0)
	message(FATAL_ERROR "nm showed no symbol at all: this check saw nothing")
endif()
if(bad)
	message(FATAL_ERROR "a library is called outside its door")
endif()
