// main() of the tests that run under mpirun: every rank runs every case, and the job fails if any rank failed.
// Never BOOST_REQUIRE between two collectives: one rank would leave and the others would hang.
#define BOOST_TEST_NO_MAIN
#include <mpi.h>

#include <boost/test/unit_test.hpp>

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  int failed = boost::unit_test::unit_test_main([] { return true; }, argc, argv);
  int any_failed = 0;
  MPI_Allreduce(&failed, &any_failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  MPI_Finalize();
  return any_failed;
}
