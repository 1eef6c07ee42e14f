# What tests preload into stagers so that one of them hangs.
add_library(hang_in_mpi MODULE ${CMAKE_CURRENT_LIST_DIR}/hang_in_mpi.c)
target_link_libraries(hang_in_mpi PRIVATE MPI::MPI_C)
set_target_properties(hang_in_mpi PROPERTIES PREFIX "")
