# The whole service over several nodes: namespaces on this machine. Skipped, with the reason, where there are none.
set(cluster_tests ${CMAKE_CURRENT_LIST_DIR})
file(GLOB scripts CONFIGURE_DEPENDS ${cluster_tests}/test_*.py)
foreach(script ${scripts})
  get_filename_component(name ${script} NAME_WE)
  string(REPLACE "test_" "cluster_" name ${name})
  set(traits "")
  if(name STREQUAL "cluster_kills")
    set(traits LONG)
  endif()
  headrace_pytest(${name} ${script} ${traits} BEFORE ${cluster_tests}/as_root ENVIRONMENT
    PYTHONPATH=${CMAKE_BINARY_DIR}/python:${CMAKE_CURRENT_SOURCE_DIR}/system ${sanitizer_environment})
endforeach()
