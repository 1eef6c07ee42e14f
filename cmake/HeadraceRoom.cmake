# Where values are touched, or each batch takes long enough to be felt. (Through ring, h5, inventory and fetch they pass, too,
# but what works on them there is the kernel or a library.)
set(headrace_datas_way base plan h5/codecs inventory/decoders reader transform store exchange service/delivery)
# Those for which no header is precompiled: they don't link fmt, or have options of their own (src/CMakeLists.txt).
set(headrace_not_precompiled base ipc ring h5/codecs transform/numbers transform condition config data/selection)

# The headers of others that most rooms include somewhere, precompiled as such rooms are compiled (preset quick).
function(headrace_precompile_for_rooms)
  set(headers <nlohmann/json.hpp> <fmt/format.h> <fmt/ranges.h> <algorithm> <chrono> <filesystem> <fstream> <functional>
              <map> <memory> <optional> <sstream> <string> <thread> <variant> <vector>)
  headrace_precompiled(headrace_headers HEADERS ${headers} LINKS fmt::fmt nlohmann_json::nlohmann_json
                       OPTIONS ${HEADRACE_OFF_THE_DATAS_WAY})
  headrace_precompiled(headrace_headers_of_the_way HEADERS ${headers} LINKS fmt::fmt nlohmann_json::nlohmann_json)
endfunction()

# headrace_room(NAME [USES room...] [LINKS library...])
#
# One static library from the sources of src/NAME; those of folders within it are rooms of their own. It is called room_NAME,
# slashes being underscores. Its door, the only include folder, holds a link to each header of the room, so that
# `#include "plan/..."` builds only in rooms that say USES plan (or use a room that does).
# The global property headrace_rooms lists them all: tests are made, and sanitizers run, for whatever stands there.
function(headrace_room name)
  cmake_parse_arguments(ROOM "" "" "USES;LINKS" ${ARGN})
  string(REPLACE "/" "_" room room_${name})
  set_property(GLOBAL APPEND PROPERTY headrace_rooms ${name})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.hpp ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.h)
  set(door ${CMAKE_BINARY_DIR}/rooms/${room})
  file(GLOB links ${door}/${name}/*)
  foreach(link ${links})  # of headers that are gone
    if(NOT EXISTS ${link})
      file(REMOVE ${link})
    endif()
  endforeach()
  file(MAKE_DIRECTORY ${door}/${name})
  foreach(header ${headers})
    get_filename_component(file ${header} NAME)
    file(CREATE_LINK ${header} ${door}/${name}/${file} SYMBOLIC)
  endforeach()
  list(TRANSFORM ROOM_USES REPLACE "/" "_")
  list(TRANSFORM ROOM_USES PREPEND room_)
  if(sources)
    add_library(${room} STATIC ${sources})
    set(scope PUBLIC)
    set(precompiled headrace_headers_of_the_way)
    if(NOT name IN_LIST headrace_datas_way)
      target_compile_options(${room} PRIVATE ${HEADRACE_OFF_THE_DATAS_WAY})
      set(precompiled headrace_headers)
    endif()
    if(HEADRACE_PRECOMPILED AND NOT name IN_LIST headrace_not_precompiled)
      headrace_takes_precompiled(${room} ${precompiled})
    endif()
  else()
    add_library(${room} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${room} ${scope} ${door})
  target_link_libraries(${room} ${scope} ${ROOM_USES} ${ROOM_LINKS})
endfunction()
