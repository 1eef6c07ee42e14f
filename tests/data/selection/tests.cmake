# A look at the cost of resampling; no test, because nothing here asserts a time.
add_executable(bench_resample ${CMAKE_CURRENT_LIST_DIR}/bench_resample.cpp)
target_link_libraries(bench_resample PRIVATE room_data_selection fmt::fmt)
