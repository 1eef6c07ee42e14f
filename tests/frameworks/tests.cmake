# What frameworks do with a stream, in their own environment (tools/bootstrap --frameworks), label `frameworks`; those of
# the cores need no more of it than tools/bootstrap --frameworks-core installs. Without it each is told as skipped.
function(headrace_frameworks_test name script list)
  set(folder ${CMAKE_SOURCE_DIR}/build/frameworks)
  if(EXISTS ${folder}/${list}.txt)  # put there once all that it names is installed
    set(PYTHON ${folder}/bin/python)
  endif()
  headrace_pytest(frameworks_${name} ${CMAKE_SOURCE_DIR}/tests/frameworks/test_${script}.py
                  ENVIRONMENT PYTHONPATH=${CMAKE_BINARY_DIR}/python ${mpi_environment} TF_CPP_MIN_LOG_LEVEL=3 ${ARGN})
  set_tests_properties(frameworks_${name} PROPERTIES LABELS frameworks)
endfunction()
foreach(script torch gpu jax jax_processes corruption)
  headrace_frameworks_test(${script} ${script} core)
endforeach()
foreach(script tensorflow records lightning processes types examples)
  headrace_frameworks_test(${script} ${script} requirements)
endforeach()
foreach(backend torch jax)
  headrace_frameworks_test(keras_${backend} keras core KERAS_BACKEND=${backend})
endforeach()
headrace_frameworks_test(keras_tensorflow keras requirements KERAS_BACKEND=tensorflow)
