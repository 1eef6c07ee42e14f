#include "mpi/watch_together.hpp"

#include <fmt/format.h>

namespace headrace::mpi {

Watch watch_together(const Comm& comm, const std::string& deed) {
  return {comm.name_of(comm.rank()),
          comm.size() == 1 ? fmt::format("it is to {}", deed)
                           : fmt::format("all stagers are to {} together; one that does not say so hangs", deed),
          true, "got no further"};
}

}  // namespace headrace::mpi
