# What frameworks do with a stream, in their own environment (tools/bootstrap --frameworks), label `frameworks`. Without it
# each is told as skipped.
function(headrace_frameworks_test name script)
  set(python ${CMAKE_SOURCE_DIR}/build/frameworks/bin/python)
  if(EXISTS ${python})
    set(PYTHON ${python})
  endif()
  headrace_pytest(frameworks_${name} ${CMAKE_SOURCE_DIR}/tests/frameworks/test_${script}.py COST 30
                  ENVIRONMENT PYTHONPATH=${CMAKE_BINARY_DIR}/python ${mpi_environment} TF_CPP_MIN_LOG_LEVEL=3 ${ARGN})
  set_tests_properties(frameworks_${name} PROPERTIES LABELS frameworks)
endfunction()
foreach(script torch gpu jax tensorflow lightning processes types examples)
  headrace_frameworks_test(${script} ${script})
endforeach()
foreach(backend torch jax tensorflow)
  headrace_frameworks_test(keras_${backend} keras KERAS_BACKEND=${backend})
endforeach()
