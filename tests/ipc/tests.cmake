# What the tests of helpers start.
add_executable(helper_program ${CMAKE_CURRENT_LIST_DIR}/helper_program.cpp)
target_link_libraries(helper_program PRIVATE room_ipc)
target_compile_definitions(test_ipc PRIVATE HELPER_PROGRAM="$<TARGET_FILE:helper_program>")
add_dependencies(test_ipc helper_program)
