# What tests preload into stagers so that one of them hangs.
add_library(hang_in_mpi MODULE ${CMAKE_CURRENT_LIST_DIR}/hang_in_mpi.c)
target_link_libraries(hang_in_mpi PRIVATE MPI::MPI_C)
set_target_properties(hang_in_mpi PROPERTIES PREFIX "")

# A filter that crashes, as HDF5 loads filters: from a folder of its own.
add_library(crashing_filter MODULE ${CMAKE_CURRENT_LIST_DIR}/crashing_filter.c)
target_include_directories(crashing_filter SYSTEM PRIVATE ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(crashing_filter PRIVATE MPI::MPI_C)  # hdf5.h of a parallel HDF5 asks for mpi.h
set_target_properties(crashing_filter PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/crashing)

# What tests preload into stagers so that their disk is one that they cannot have.
add_library(odd_disk MODULE ${CMAKE_CURRENT_LIST_DIR}/odd_disk.c)
set_target_properties(odd_disk PROPERTIES PREFIX "")
