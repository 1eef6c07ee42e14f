# Files made by h5py, once per ctest run, for every test that reads some.
set(h5_fixtures ${CMAKE_BINARY_DIR}/fixtures/h5)
add_test(NAME h5_fixtures COMMAND ${PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/h5/make_fixtures.py ${h5_fixtures})
set_tests_properties(h5_fixtures PROPERTIES LABELS quick FIXTURES_SETUP h5_files)
cmake_path(GET PYTHON PARENT_PATH python_prefix)
cmake_path(GET python_prefix PARENT_PATH python_prefix)  # whose hdf5plugin has the filters that we leave to plug-ins
foreach(test h5 h5_chunks catalog catalog_mpi_1 catalog_mpi_2 catalog_mpi_3 catalog_mpi_5 reader reader_mpi_1 reader_mpi_2 reader_mpi_3 reader_mpi_5)
  if(TEST ${test})
    set_property(TEST ${test} APPEND PROPERTY FIXTURES_REQUIRED h5_files)
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT HEADRACE_FIXTURES=${h5_fixtures} VIRTUAL_ENV=${python_prefix})
  endif()
endforeach()
