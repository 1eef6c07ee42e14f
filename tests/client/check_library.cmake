# libheadrace.so needs neither MPI nor HDF5.
execute_process(COMMAND ldd ${LIBRARY} OUTPUT_VARIABLE needs COMMAND_ERROR_IS_FATAL ANY)
if(needs MATCHES "mpi|hdf5|pmix|open-rte|open-pal|boost|fmt|spdlog")
  message(FATAL_ERROR "${LIBRARY} needs more than the C and C++ runtime:\n${needs}")
endif()
if(NOT needs MATCHES "libc\\.so")
  message(FATAL_ERROR "ldd said nothing useful:\n${needs}")
endif()
