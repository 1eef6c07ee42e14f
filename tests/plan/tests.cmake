# A look at the cost of order and plans; no test, because nothing here asserts a time.
add_executable(bench_plan ${CMAKE_CURRENT_LIST_DIR}/bench_plan.cpp)
target_link_libraries(bench_plan PRIVATE room_plan)
