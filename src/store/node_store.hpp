// Where the stagers of a node keep their slabs: one memfd that all of them map.
//
//   | slab of stager 0              | slab of stager 1              | ...
//   | field 0: rows | field 1: rows | field 0: rows | field 1: rows |
//     ^ 256-byte aligned              ^ page-aligned
//
// Each stager reserves, faults in and writes its own slab during loading; afterwards nobody writes, and any thread of
// any stager of the node reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/schema.hpp"
#include "ipc/fd.hpp"
#include "ipc/memory.hpp"

namespace headrace::store {

/// Offsets of everything in the memfd. Pure arithmetic, the same on every stager of the node.
class Layout {
 public:
  /// rows: per stager of the node.
  Layout(const Schema& schema, std::span<const std::uint64_t> rows);

  std::uint64_t bytes() const { return slabs_.back(); }
  std::uint64_t slab_offset(std::size_t stager) const { return slabs_[stager]; }
  std::uint64_t slab_bytes(std::size_t stager) const { return slabs_[stager + 1] - slabs_[stager]; }
  std::uint64_t column_offset(std::size_t stager, std::size_t field) const { return columns_[stager][field]; }

 private:
  std::vector<std::uint64_t> slabs_;                 // stagers + 1
  std::vector<std::vector<std::uint64_t>> columns_;  // per stager and field
};

class NodeStore {
 public:
  /// Maps the memfd, which must have layout.bytes() bytes.
  NodeStore(ipc::Fd memfd, Layout layout);

  /// A memfd of the layout's size, nothing reserved yet. Made by one stager of the node and passed to the others.
  static ipc::Fd create(const Layout& layout);

  /// Takes the memory of this stager's slab and faults it in, with several threads. Error if there is too little.
  void reserve(std::size_t stager, unsigned threads);
  /// First row of a field in a stager's slab.
  std::byte* column(std::size_t stager, std::size_t field);
  const std::byte* column(std::size_t stager, std::size_t field) const;
  const Layout& layout() const { return layout_; }

 private:
  Layout layout_;
  ipc::Fd memfd_;
  ipc::Mapping memory_;
};

}  // namespace headrace::store
