# The whole service over several nodes: namespaces on this machine. Skipped, with the reason, where there are none.
set(cluster_tests ${CMAKE_CURRENT_LIST_DIR})
file(GLOB scripts CONFIGURE_DEPENDS ${cluster_tests}/test_*.py)
foreach(script ${scripts})
  get_filename_component(name ${script} NAME_WE)
  string(REPLACE "test_" "cluster_" name ${name})
  add_test(NAME ${name} COMMAND ${cluster_tests}/as_root ${PYTHON} -m pytest -q -x -rs -p no:cacheprovider ${script})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 RUN_SERIAL ON ENVIRONMENT
    "HEADRACE_BUILD=${CMAKE_BINARY_DIR};PYTHONPATH=${CMAKE_BINARY_DIR}/python:${CMAKE_CURRENT_SOURCE_DIR}/system;${sanitizer_environment}")
  if(name STREQUAL "cluster_kills")
    set_tests_properties(${name} PROPERTIES LABELS long)
  endif()
endforeach()
