# The documents as a test: tools/docs makes the same pages for readers. Those whose code can run are run.
foreach(name docs pages_run)
  add_test(NAME docs_${name} COMMAND ${PYTHON} -m pytest -q -rs -p no:cacheprovider ${CMAKE_CURRENT_LIST_DIR}/test_${name}.py)
  set_tests_properties(docs_${name} PROPERTIES TIMEOUT 300 ENVIRONMENT "HEADRACE_BUILD=${CMAKE_BINARY_DIR};${mpi_environment}")
endforeach()
set_tests_properties(docs_pages_run PROPERTIES PROCESSORS 2)
