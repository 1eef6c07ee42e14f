# Headers of others, compiled once for many sources. A precompiled header serves only who is compiled by the same options;
# GCC 12 crashes where -O differs and says nothing. So there is one for each set of options, and its users name it.
#
# What compiles here compiles without it: such a header is only put in front of what the sources include themselves. Preset
# release compiles each source of src alone and finds what none of its headers brings; what one of them brings by chance is
# found by tests/floors/test_includes.py.

# ccache takes part only if told that times and macros of the header need no look of its own, and where GCC names the header.
set(headrace_with_ccache OFF)
if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES "(^|/)ccache$")
  set(headrace_with_ccache ON)
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

# headrace_precompiled(NAME HEADERS header... [LINKS library...] [OPTIONS option...]): a header that others take by
# headrace_takes_precompiled(TARGET NAME).
function(headrace_precompiled name)
  cmake_parse_arguments(ARG "" "" "HEADERS;LINKS;OPTIONS" ${ARGN})
  set(source ${CMAKE_BINARY_DIR}/CMakeFiles/${name}.cpp)
  if(NOT EXISTS ${source})
    file(WRITE ${source} "// Nothing: cmake wants a source beside a precompiled header.\n")
  endif()
  add_library(${name} OBJECT ${source})
  set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
  target_link_libraries(${name} PRIVATE ${ARG_LINKS})
  target_compile_options(${name} PRIVATE ${ARG_OPTIONS})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
  headrace_precompiled_options(${name})
endfunction()

function(headrace_takes_precompiled target name)
  target_precompile_headers(${target} REUSE_FROM ${name})
  headrace_precompiled_options(${target})
endfunction()

function(headrace_precompiled_options target)
  if(headrace_with_ccache AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
  endif()
endfunction()
