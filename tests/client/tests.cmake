# A fake service, and the trainers' library tested against it in C and C++.
set(client_tests ${CMAKE_CURRENT_LIST_DIR})
add_executable(fake_stager ${client_tests}/fake_stager.cpp ${client_tests}/fake_service.cpp)
target_link_libraries(fake_stager PRIVATE room_ring)
