// Point-to-point messages that never block. One thread only: the one that owns MPI.
#pragma once

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "mpi/comm.hpp"

namespace headrace::mpi {

/// A piece of memory that a message lands in.
struct Block {
  std::byte* data = nullptr;
  std::size_t bytes = 0;
};

/// A message under way. Its memory must stay until it is complete. Destroying one that is under way cancels it.
class Transfer {
 public:
  Transfer() = default;
  Transfer(Transfer&& other) noexcept;
  Transfer& operator=(Transfer&& other) noexcept;
  ~Transfer();

 private:
  friend class Mailbox;
  friend class Transfers;
  MPI_Request request_ = MPI_REQUEST_NULL;
};

/// The messages under way of one kind, each with the caller's token. One MPI call asks about all of them.
class Transfers {
 public:
  struct Done {
    std::uint64_t token = 0;
    int source = 0;         ///< of a receive
    std::size_t bytes = 0;  ///< of a receive
  };

  Transfers() = default;
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;
  ~Transfers();  ///< cancels what is under way

  void add(Transfer transfer, std::uint64_t token);
  /// Drives MPI and appends the messages that are complete now.
  void poll(std::vector<Done>& done);
  std::size_t size() const { return requests_.size(); }

 private:
  std::vector<MPI_Request> requests_;
  std::vector<std::uint64_t> tokens_;
  std::vector<int> indices_;
  std::vector<MPI_Status> statuses_;
};

/// Messages on a communicator of its own. All sizes are checked against MPI's int counts.
class Mailbox {
 public:
  /// Collective: duplicates the communicator.
  explicit Mailbox(const Comm& comm) : comm_(comm.dup()) {}

  Transfer send(int to, int tag, std::span<const std::byte> message) const;
  Transfer receive(int from, int tag, std::span<std::byte> into) const;
  Transfer receive_any(int tag, std::span<std::byte> into) const;
  /// One message scattered over several blocks, in order.
  Transfer receive(int from, int tag, std::span<const Block> into) const;

 private:
  Comm comm_;
};

}  // namespace headrace::mpi
