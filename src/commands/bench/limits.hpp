// What the machine allows: the same bytes moved by plain loops, in the same run as the service. Each function is called
// by every stager at the same time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ipc/memory.hpp"
#include "plan/batch_plan.hpp"
#include "service/staging.hpp"
#include "store/raw_reads.hpp"

namespace headrace::commands::bench {

/// Gather: the rows of the batches that this stager fills in an epoch, in their order, copied by memcpy with as many
/// threads as the service has workers, into a memfd laid out as its rings are. Rows of other nodes are replaced by as
/// many rows of this stager's own slab: what is packed for others equals in number what they pack for us. So are rows
/// on the disk by rows in memory.
///
/// Disk: those of the rows that lie on the disk, read as records by plain loops, in their order, copied nowhere.
class GatherLimit {
 public:
  explicit GatherLimit(const service::Staging& staging);

  /// Seconds of one epoch's rows on this stager.
  double run() const;
  /// The same of those on the disk; 0 where there are none.
  double run_disk() const;
  std::uint64_t bytes() const { return bytes_; }          ///< of an epoch on this stager
  std::uint64_t remote_bytes() const { return remote_; }  ///< of them, held by other nodes
  std::uint64_t disk_bytes() const;                       ///< of them, read from the disk for this stager

 private:
  struct Run {
    std::uint32_t local = 0;  ///< stager of this node
    std::vector<std::uint32_t> rows;
  };
  using Batch = std::vector<Run>;
  Batch batch_of(const plan::BatchPlan& plan);
  void copy(const Batch& batch, std::byte* slot) const;

  const service::Staging& staging_;
  std::vector<Batch> batches_;
  std::vector<store::RowOfFile> on_disk_;
  std::uint64_t bytes_ = 0, remote_ = 0, slot_bytes_ = 0;
  std::size_t slots_ = 0;
  ipc::Fd memfd_;
  ipc::Mapping memory_;
};

/// Read: plain pread, one thread, of as many bytes as this stager loads, in pieces of 1 MiB, into `memory` (mapped and
/// faulted in). Contiguous datasets: the very bytes; others: as many bytes of the file as they take there. Returns
/// seconds; bytes: how many were read.
double time_plain_read(const service::blueprint::Blueprint& blueprint, std::uint32_t stager,
                       std::span<std::byte> memory, std::uint64_t& bytes);

}  // namespace headrace::commands::bench
