# A fake service, and the trainers' library tested against it in C and C++.
set(client_tests ${CMAKE_CURRENT_LIST_DIR})
add_executable(fake_stager ${client_tests}/fake_stager.cpp ${client_tests}/fake_service.cpp)
target_link_libraries(fake_stager PRIVATE room_ring)

# Compiled as C, against the public header alone.
add_executable(test_c_api ${client_tests}/test_c_api.c)
target_link_libraries(test_c_api PRIVATE headrace_client)
add_test(NAME client_c_api COMMAND ${alone} $<TARGET_FILE:test_c_api> $<TARGET_FILE:fake_stager>)

# Failures of every kind, against services scripted in the test itself.
file(GLOB client_sources CONFIGURE_DEPENDS ${client_tests}/test_*.cpp)
add_executable(test_client ${client_sources})
target_link_libraries(test_client PRIVATE headrace_client room_ring)
headrace_boost_test(test_client headrace_test_main)
target_include_directories(test_client PRIVATE ${CMAKE_BINARY_DIR}/rooms/client)  # client/sized.hpp
target_compile_definitions(test_client PRIVATE FAKE_STAGER="$<TARGET_FILE:fake_stager>")
add_test(NAME client COMMAND ${alone} $<TARGET_FILE:test_client>)

# What the library needs.
add_test(NAME client_library COMMAND ${CMAKE_COMMAND} -DLIBRARY=$<TARGET_FILE:headrace_client> -P ${client_tests}/check_library.cmake)
# The header in C and C++ of every age, its example, and what the library promises by name.
headrace_pytest(client_header ${client_tests}/test_header.py QUICK
  ENVIRONMENT HEADRACE_SANITIZE=${HEADRACE_SANITIZE} CC=${CMAKE_C_COMPILER} CXX=${CMAKE_CXX_COMPILER})
set_tests_properties(client_c_api client client_library PROPERTIES TIMEOUT 600 LABELS quick ENVIRONMENT "${sanitizer_environment}")
set_tests_properties(client PROPERTIES FIXTURES_REQUIRED "${built_first}")
headrace_sanitized(TESTS client client_c_api TARGETS fake_stager test_client test_c_api SHARES)
