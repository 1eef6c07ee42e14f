// A communicator of our own. Only the thread that owns MPI calls it.
//
//   1. A Comm owns its handle and frees it; moved from, it holds none.
//   2. Every function but rank(), size(), handle(), name_ranks() and name_of() is collective over the communicator. A
//      rank that does not come to one is named after a while (roll_call.hpp). Making communicators blocks in MPI: first
//      all come together, then it is watched (watch.hpp).
//   3. Errors come back as exceptions (check.hpp).
#pragma once

#include <mpi.h>

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/narrow.hpp"
#include "mpi/check.hpp"
#include "mpi/roll_call.hpp"

namespace headrace::mpi {

class Comm {
 public:
  static Comm world();  ///< a duplicate of MPI_COMM_WORLD
  static Comm self();   ///< this process alone
  /// These ranks of MPI_COMM_WORLD, this one among them; the others take no part.
  static Comm of_ranks(int first, int last);

  Comm(Comm&& other) noexcept;
  Comm& operator=(Comm&& other) noexcept;
  ~Comm();

  int rank() const { return rank_; }
  int size() const { return size_; }
  MPI_Comm handle() const { return handle_; }

  /// What ranks are called in messages; else "rank 3".
  void name_ranks(std::vector<std::string> names) const;
  std::string name_of(int rank) const { return calls_->name(static_cast<std::size_t>(rank)); }

  Comm dup() const;
  /// Ranks of the same color, ordered by key; every rank is in one.
  Comm split(int color, int key) const;
  /// The ranks that share this node's memory, in the order of this communicator.
  Comm split_shared() const;

  void barrier() const;
  /// A barrier that does not block: start it once, then ask now and then.
  class Arrival {
   public:
    Arrival() = default;
    explicit Arrival(const Comm& comm) { check(MPI_Ibarrier(comm.handle(), &request_), "MPI_Ibarrier"); }
    /// Whether all ranks have started theirs.
    bool complete() {
      int done = 0;
      check(MPI_Test(&request_, &done, MPI_STATUS_IGNORE), "MPI_Test");
      return done != 0;
    }

   private:
    MPI_Request request_ = MPI_REQUEST_NULL;
  };
  /// Bytes of one MPI call, of all ranks together: MPI's counts are ints, so that more goes in rounds.
  static constexpr std::size_t max_round = std::size_t{1} << 30;
  /// root's text, everywhere; of any length.
  std::string bcast(const std::string& text, int root = 0, std::size_t round = max_round) const;
  /// One value of each rank, in rank order.
  template <class T>
  std::vector<T> allgather(const T& mine) const;
  /// The texts of all ranks, of any length, in rank order.
  std::vector<std::string> allgather(const std::string& mine, std::size_t round = max_round) const;

  /// to[r] goes to rank r; returns what each rank sent here. Of any length.
  std::vector<std::string> alltoall(const std::vector<std::string>& to, std::size_t round = max_round) const;

  std::uint64_t sum(std::uint64_t mine) const { return reduce(mine, MPI_SUM); }
  std::uint64_t max(std::uint64_t mine) const { return reduce(mine, MPI_MAX); }
  std::uint64_t min(std::uint64_t mine) const { return reduce(mine, MPI_MIN); }
  double sum(double mine) const { return reduce(mine, MPI_SUM); }
  double max(double mine) const { return reduce(mine, MPI_MAX); }
  double min(double mine) const { return reduce(mine, MPI_MIN); }

 private:
  explicit Comm(MPI_Comm owned);
  void free() noexcept;
  template <class Start>
  void collective(const char* call, Start start) const;
  void allgather_bytes(const void* mine, void* all, std::size_t bytes) const;
  std::uint64_t reduce(std::uint64_t mine, MPI_Op op) const;
  double reduce(double mine, MPI_Op op) const;

  MPI_Comm handle_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  std::unique_ptr<RollCall> calls_;
};

template <class T>
std::vector<T> Comm::allgather(const T& mine) const {
  static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>);
  std::vector<T> all(static_cast<std::size_t>(size_));
  allgather_bytes(&mine, all.data(), sizeof(T));
  return all;
}

}  // namespace headrace::mpi
