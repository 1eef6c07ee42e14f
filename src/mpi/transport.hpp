// What carries messages between nodes, to be told at start: exchange at a wrong setting is slower by factors, and says
// nothing of it. Collective calls are not made here; MPI must have started. The thread that owns MPI.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace headrace::mpi {

struct Transport {
  std::string version;                                        ///< of MPI, such as "Open MPI v4.1.4"
  std::vector<std::pair<std::string, std::string>> settings;  ///< of Open MPI's choice of transports, where one is set
  std::string congestion_control;                             ///< of TCP, if that is what MPI uses; else empty
};

Transport transport();

}  // namespace headrace::mpi
