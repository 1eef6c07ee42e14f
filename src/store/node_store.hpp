// Where the stagers of a node keep their slabs: one memfd that all of them map (or private memory, where one shares
// with nobody); and where that cannot hold all, a file on the node's disk for the rest of each slab.
//
//   | slab of stager 0              | slab of stager 1              | ...
//   | field 0: rows | field 1: rows | field 0: rows | field 1: rows |
//     ^ 256-byte aligned              ^ page-aligned
//
//   row of a slab    0 ................. k-1 | k ................. n-1
//   where it lies    the memfd               | record row - k of the scratch file (records.hpp)
//
// In which order rows are asked for is not known here, and where they lie is not known elsewhere: no batch changes with
// k. Each stager reserves, faults in and writes its own slab during loading; afterwards nobody writes, and any thread
// of any stager of the node reads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/schema.hpp"
#include "ipc/fd.hpp"
#include "ipc/memory.hpp"
#include "ipc/reserve.hpp"
#include "store/scratch_readers.hpp"

namespace headrace::store {

/// Offsets of everything in the memfd. Pure arithmetic, the same on every stager of the node.
class Layout {
 public:
  /// rows: per stager of the node, those in memory.
  Layout(const Schema& schema, std::span<const std::uint64_t> rows);

  std::uint64_t bytes() const { return slabs_.back(); }
  std::size_t stagers() const { return rows_.size(); }
  std::uint64_t slab_offset(std::size_t stager) const { return slabs_[stager]; }
  std::uint64_t slab_bytes(std::size_t stager) const { return slabs_[stager + 1] - slabs_[stager]; }
  std::uint64_t column_offset(std::size_t stager, std::size_t field) const { return columns_[stager][field]; }
  std::uint64_t rows(std::size_t stager) const { return rows_[stager]; }

 private:
  std::vector<std::uint64_t> rows_;                  // per stager
  std::vector<std::uint64_t> slabs_;                 // stagers + 1
  std::vector<std::vector<std::uint64_t>> columns_;  // per stager and field
};

class NodeStore {
 public:
  /// Maps the memfd, which must have layout.bytes() bytes.
  NodeStore(ipc::Fd memfd, Layout layout);
  /// Of a stager that shares with nobody: no memfd, and memory that is there much sooner.
  explicit NodeStore(Layout layout);

  /// A memfd of the layout's size, nothing reserved yet. Made by one stager of the node and passed to the others.
  static ipc::Fd create(const Layout& layout);

  /// Takes the memory of this stager's slab and faults it in, with several threads. Error if there is too little of
  /// what is shared; and what `tell` throws.
  void reserve(std::size_t stager, unsigned threads, const ipc::BeforeTaking& tell = {});
  /// First row of a field in a stager's slab.
  std::byte* column(std::size_t stager, std::size_t field);
  const std::byte* column(std::size_t stager, std::size_t field) const;
  const Layout& layout() const { return layout_; }

  /// The rest of each stager's rows; before anybody reads.
  void add_scratch(std::vector<Scratch> scratch) { scratch_ = std::move(scratch); }
  /// Per stager; empty where all rows are in memory.
  const std::vector<Scratch>& scratch() const { return scratch_; }
  /// How many of a stager's rows (ascending) are in memory: the first ones.
  std::size_t in_memory(std::size_t stager, std::span<const std::uint32_t> rows) const {
    if (scratch_.empty() || rows.empty() || rows.back() < layout_.rows(stager)) return rows.size();
    return static_cast<std::size_t>(std::lower_bound(rows.begin(), rows.end(), layout_.rows(stager)) - rows.begin());
  }

 private:
  Layout layout_;
  ipc::Fd memfd_;  // none: nobody shares it
  ipc::Mapping memory_;
  std::vector<Scratch> scratch_;
};

}  // namespace headrace::store
