// Who has come to a collective, and who has not: a rank that hangs before one would else let all others wait for ever.
//
//   1. Each rank tells the first of its communicator that it has arrived, by a message of one byte per collective.
//   2. Collectives are started without blocking, and asked for between naps. Waiting for long, the first rank tells who
//      is missing; after the limit it gives up (patience.hpp), and a little later so does everybody else: then it is
//      the first that hangs.
//   3. A collective may be over at the first rank before the others have come: what they then send is received by
//      settle(), without which the communicator must not be freed.
//   4. Only the thread that owns MPI calls this.
#pragma once

#include <mpi.h>

#include <cstdint>
#include <string>
#include <vector>

namespace headrace::mpi {

class RollCall {
 public:
  RollCall(MPI_Comm comm, int rank, int size) : comm_(comm), rank_(rank), arrived_(static_cast<std::size_t>(size)) {}
  /// What ranks are called in messages; else "rank 3".
  void call_them(std::vector<std::string> names) { names_ = std::move(names); }
  std::string name(std::size_t rank) const;
  /// This rank is about to enter the next collective.
  void arrive();
  /// Until it is complete, or the end of patience and of this process.
  void wait(MPI_Request& collective);
  /// Before the communicator goes: until no message is on its way, for at most a second. Whether that is so.
  bool settle() noexcept;

 private:
  void hear();
  bool all_here() const;
  std::string missing() const;

  MPI_Comm comm_;
  int rank_;
  std::uint64_t calls_ = 0;             ///< collectives so far
  std::vector<std::uint64_t> arrived_;  ///< at the first rank: how many of them each rank has come to
  std::vector<std::string> names_;
};

}  // namespace headrace::mpi
