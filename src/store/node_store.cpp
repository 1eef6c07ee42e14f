#include "store/node_store.hpp"

#include "base/bytes.hpp"
#include "base/contract.hpp"

namespace headrace::store {

namespace {
constexpr std::uint64_t page = 4096;
constexpr std::uint64_t row_alignment = 256;
}  // namespace

Layout::Layout(const Schema& schema, std::span<const std::uint64_t> rows) : rows_(rows.begin(), rows.end()) {
  std::uint64_t end = 0;
  slabs_.push_back(end);
  for (const auto count : rows) {
    auto& columns = columns_.emplace_back();
    for (const auto& field : schema) {
      columns.push_back(end);
      end = round_up(end + count * field.row_bytes(), row_alignment);
    }
    end = round_up(end, page);
    slabs_.push_back(end);
  }
}

NodeStore::NodeStore(ipc::Fd memfd, Layout layout) : layout_(std::move(layout)), memfd_(std::move(memfd)) {
  if (layout_.bytes() > 0) memory_ = ipc::Mapping::map(memfd_, layout_.bytes());  // a node may hold nothing
}

NodeStore::NodeStore(Layout layout) : layout_(std::move(layout)) {
  EXPECTS(layout_.stagers() == 1);
  if (layout_.bytes() > 0) memory_ = ipc::Mapping::own(layout_.bytes());
}

ipc::Fd NodeStore::create(const Layout& layout) {
  return ipc::make_memfd("headrace-store", layout.bytes());
}

void NodeStore::reserve(std::size_t stager, unsigned threads, const ipc::BeforeTaking& tell) {
  const auto offset = layout_.slab_offset(stager);
  const auto bytes = layout_.slab_bytes(stager);
  if (bytes == 0) return;
  const std::span memory(memory_.data() + offset, bytes);
  if (memfd_)
    ipc::reserve(memfd_, offset, memory, threads, tell);
  else
    ipc::reserve_own(memory, threads, tell);
}

std::byte* NodeStore::column(std::size_t stager, std::size_t field) {
  return memory_.data() + layout_.column_offset(stager, field);
}

const std::byte* NodeStore::column(std::size_t stager, std::size_t field) const {
  return memory_.data() + layout_.column_offset(stager, field);
}

}  // namespace headrace::store
