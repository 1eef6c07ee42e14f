# What tests start to have files looked at.
add_executable(examine_files ${CMAKE_CURRENT_LIST_DIR}/examine_files.cpp)
target_link_libraries(examine_files PRIVATE room_catalog)
foreach(test test_catalog mpitest_reader)
  add_dependencies(${test} examine_files)
  target_compile_definitions(${test} PRIVATE EXAMINE_FILES="$<TARGET_FILE:examine_files>"
                             DAMAGED_FILES="${CMAKE_CURRENT_LIST_DIR}/damaged")
endforeach()
