# Files at random, read in every way and compared with what h5py reads. By hand, for more seeds:
#   build/venv/bin/python tests/reader/random/make_files.py FOLDER 0 2000 && mpirun -n 5 build/release/bin/read_files FOLDER 0 2000
set(random_files ${CMAKE_BINARY_DIR}/fixtures/random)
add_executable(read_files ${CMAKE_CURRENT_LIST_DIR}/random/read_files.cpp)
target_link_libraries(read_files PRIVATE room_reader headrace_mpi)
add_test(NAME reader_random_files COMMAND ${PYTHON} ${CMAKE_CURRENT_LIST_DIR}/random/make_files.py ${random_files} 0 300)
set_tests_properties(reader_random_files PROPERTIES LABELS quick FIXTURES_SETUP random_files)
add_test(NAME reader_random COMMAND ${MPIEXEC_EXECUTABLE} -n 5 $<TARGET_FILE:read_files> ${random_files} 0 300)
set_tests_properties(reader_random PROPERTIES TIMEOUT ${mpi_timeout} PROCESSORS 2 LABELS quick FIXTURES_REQUIRED random_files
                     ENVIRONMENT "${sanitizer_environment};${mpi_environment};VIRTUAL_ENV=${python_prefix}")
headrace_sanitized(TESTS reader_random TARGETS read_files)

# Loading compressed chunks beside decoding them from memory; no test, because nothing here asserts a time.
add_executable(bench_filters ${CMAKE_CURRENT_LIST_DIR}/bench_filters.cpp)
target_link_libraries(bench_filters PRIVATE room_reader headrace_mpi)

# Damaged files: see fuzz/fuzz_files.py, also for more of them by hand.
add_executable(try_files ${CMAKE_CURRENT_LIST_DIR}/fuzz/try_files.cpp)
target_link_libraries(try_files PRIVATE room_reader headrace_mpi)
add_test(NAME reader_fuzz COMMAND ${PYTHON} ${CMAKE_CURRENT_LIST_DIR}/fuzz/fuzz_files.py ${CMAKE_BINARY_DIR} 0 400)
set_tests_properties(reader_fuzz PROPERTIES TIMEOUT ${mpi_timeout} ENVIRONMENT "${sanitizer_environment};${mpi_environment}")
