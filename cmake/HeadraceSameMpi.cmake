# HDF5 calls the MPI that it was built with. Where that is another than ours, everything compiles and links (a
# communicator is a pointer here, a number there), and the first parallel open dies by signal 11. So compare, when
# configuring, what the one needs with what the other is called.

# headrace_needs(FILE TAG RESULT): what the dynamic section of a shared library says under NEEDED or SONAME; empty where
# it has none (static libraries), or where it cannot be read.
function(headrace_needs file tag result)
  set(names "")
  if(CMAKE_READELF)
    execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${CMAKE_READELF} -d ${file} OUTPUT_VARIABLE said ERROR_QUIET)
    string(REGEX MATCHALL "\\(${tag}\\)[^\n]*\\[[^]\n]*\\]" lines "${said}")
    foreach(line ${lines})
      string(REGEX REPLACE ".*\\[(.*)\\]" "\\1" name "${line}")
      list(APPEND names ${name})
    endforeach()
  endif()
  set(${result} ${names} PARENT_SCOPE)
endfunction()

# headrace_file_of(LIBRARY PATTERN RESULT): of a list of libraries (files or imported targets), the file whose name
# matches; empty where there is none.
function(headrace_file_of libraries pattern result)
  set(found "")
  foreach(library ${libraries})
    if(TARGET ${library})
      get_target_property(library ${library} LOCATION)
    endif()
    get_filename_component(name "${library}" NAME)
    if(NOT found AND EXISTS "${library}" AND name MATCHES "${pattern}")
      set(found ${library})
    endif()
  endforeach()
  set(${result} ${found} PARENT_SCOPE)
endfunction()

# headrace_same_mpi(HDF5_LIBRARIES MPI_LIBRARIES RESULT): stops where they are a mixed pair, else tells what HDF5 needs.
function(headrace_same_mpi hdf5_libraries mpi_libraries result)
  set(${result} "" PARENT_SCOPE)
  headrace_file_of("${hdf5_libraries}" "^libhdf5[^/]*\\.(so|a)" hdf5)
  headrace_file_of("${mpi_libraries}" "^libmpi[^/]*\\.(so|a)" mpi)
  if(NOT hdf5 OR NOT mpi)
    return()  # compiler wrappers bring them in; what they pair belongs together
  endif()
  headrace_needs(${hdf5} NEEDED needed)
  list(FILTER needed INCLUDE REGEX "^libmpi")
  list(FILTER needed EXCLUDE REGEX "^libmpi(cxx|_cxx|fort|_mpifh|_usempi)")
  if(needed)
    set(names "")
    foreach(library ${mpi_libraries})
      headrace_file_of("${library}" "^libmpi" file)
      if(file)
        headrace_needs(${file} SONAME name)
        list(APPEND names ${name})
      endif()
    endforeach()
    set(missing ${needed})
    list(REMOVE_ITEM missing ${names})
    if(missing AND names)
      set(mixed "it needs ${missing}, and this MPI is ${names}")
    endif()
    set(${result} "(built with ${needed})" PARENT_SCOPE)
  else()  # a static library, or one that leaves MPI to the program: names of Open MPI's own objects tell
    file(STRINGS ${hdf5} of_hdf5 REGEX "ompi_mpi_comm_" LIMIT_COUNT 1)
    file(STRINGS ${mpi} of_mpi REGEX "ompi_mpi_comm_" LIMIT_COUNT 1)
    if(of_hdf5 AND NOT of_mpi)
      set(mixed "it was built with Open MPI, and this MPI is another")
    elseif(of_mpi AND NOT of_hdf5)
      set(mixed "it was built with another MPI, and this one is Open MPI")
    endif()
  endif()
  if(mixed)
    message(FATAL_ERROR "HDF5 and MPI do not belong together: HDF5 is ${hdf5} (${mixed}: ${mpi}). Programs of both link, and "
                        "die by signal 11 when they run. Point HDF5_ROOT at an HDF5 that was built with this MPI (Debian: "
                        "libhdf5-openmpi-dev or libhdf5-mpich-dev), or MPI_HOME at the MPI that HDF5 was built with")
  endif()
endfunction()

# headrace_name_of_mpi(RESULT): as in "Open MPI 4.1.4", from mpi.h; nothing runs.
function(headrace_name_of_mpi result)
  set(source ${CMAKE_BINARY_DIR}/CMakeFiles/name_of_mpi.c)
  file(WRITE ${source} [=[
#include <mpi.h>
#define TEXT(x) #x
#define VALUE(x) TEXT(x)
#if defined(OMPI_MAJOR_VERSION)
#define NAME "Open MPI " VALUE(OMPI_MAJOR_VERSION) "." VALUE(OMPI_MINOR_VERSION) "." VALUE(OMPI_RELEASE_VERSION)
#elif defined(I_MPI_VERSION)
#define NAME "Intel MPI " I_MPI_VERSION
#elif defined(MVAPICH_VERSION)
#define NAME "MVAPICH " MVAPICH_VERSION
#elif defined(CRAY_MPICH_VERSION)
#define NAME "Cray MPICH " VALUE(CRAY_MPICH_VERSION)
#elif defined(MPICH_VERSION)
#define NAME "MPICH " MPICH_VERSION
#else
#define NAME "MPI " VALUE(MPI_VERSION) "." VALUE(MPI_SUBVERSION)
#endif
const char name_of_mpi[] = "name of MPI: " NAME;
int main(void) { return name_of_mpi[0] == 0; }
]=])
  set(program ${CMAKE_BINARY_DIR}/CMakeFiles/name_of_mpi)
  try_compile(HEADRACE_MPI_COMPILES ${CMAKE_BINARY_DIR} ${source} LINK_LIBRARIES MPI::MPI_C COPY_FILE ${program})
  set(name "MPI")
  if(HEADRACE_MPI_COMPILES)
    file(STRINGS ${program} name REGEX "^name of MPI: " LIMIT_COUNT 1)
    string(REPLACE "name of MPI: " "" name "${name}")
  endif()
  set(${result} ${name} PARENT_SCOPE)
endfunction()
