// Preloaded into a stager: rank 1 comes to a standstill at a collective call of MPI-IO, as one would whose disk does
// not answer. HANG names where: "open", "read" (inside), "after" (behind the read, before it meets the others again),
// "close"; or "end": before that of MPI.
#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void hang_at(const char* here) {
  const char* where = getenv("HANG");
  int rank = 0;
  PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank == 1 && where && strcmp(where, here) == 0)
    for (;;) pause();
}

int MPI_File_open(MPI_Comm comm, const char* name, int mode, MPI_Info info, MPI_File* file) {
  hang_at("open");
  return PMPI_File_open(comm, name, mode, info, file);
}

int MPI_File_read_at_all(MPI_File file, MPI_Offset offset, void* to, int count, MPI_Datatype type, MPI_Status* status) {
  hang_at("read");
  const int code = PMPI_File_read_at_all(file, offset, to, count, type, status);
  hang_at("after");
  return code;
}

int MPI_File_close(MPI_File* file) {
  hang_at("close");
  return PMPI_File_close(file);
}

int MPI_Finalize(void) {
  hang_at("end");
  return PMPI_Finalize();
}
