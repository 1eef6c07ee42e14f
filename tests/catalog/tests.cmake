# What tests start to have files looked at.
add_executable(examine_files ${CMAKE_CURRENT_LIST_DIR}/examine_files.cpp)
target_link_libraries(examine_files PRIVATE room_catalog)
foreach(test test_catalog mpitest_reader)
  add_dependencies(${test} examine_files)
  target_compile_definitions(${test} PRIVATE EXAMINE_FILES="$<TARGET_FILE:examine_files>"
                             DAMAGED_FILES="${CMAKE_CURRENT_LIST_DIR}/damaged")
endforeach()
# Here a crash in HDF5 is what a child is made to have, and what its parent tells of it: under sanitizers, too, by the signal.
set(left_to_the_signal ${sanitizer_environment})
list(FILTER left_to_the_signal INCLUDE REGEX "^[AT]SAN_OPTIONS=")
list(TRANSFORM left_to_the_signal APPEND ":handle_segv=0")
set_property(TEST catalog reader_mpi_1 reader_mpi_2 reader_mpi_3 reader_mpi_5 APPEND PROPERTY ENVIRONMENT ${left_to_the_signal})
