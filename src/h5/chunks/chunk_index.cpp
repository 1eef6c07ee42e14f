#include "h5/chunks/chunk_index.hpp"

#include <algorithm>
#include <limits>

#include "base/contract.hpp"

namespace headrace::h5::chunks {

namespace {

constexpr std::uint64_t page_chunks = 1024;
constexpr std::uint64_t unknown = std::numeric_limits<std::uint64_t>::max(), absent = unknown - 1;  // as offsets

}  // namespace

ChunkIndex::ChunkIndex(const DatasetInfo& dataset) : chunk_(dataset.chunk) {
  EXPECTS(dataset.chunk.size() == dataset.dims.size() && !dataset.dims.empty());
  for (std::size_t d = 0; d < chunk_.size(); ++d)
    along_.push_back(dataset.dims[d] / chunk_[d] + (dataset.dims[d] % chunk_[d] != 0 ? 1 : 0));
}

StoredChunk& ChunkIndex::place(std::uint64_t number) {
  auto& page = pages_[number / page_chunks];
  if (!page) {
    page = std::make_unique_for_overwrite<StoredChunk[]>(page_chunks);
    std::fill_n(page.get(), page_chunks, StoredChunk{unknown, 0, 0});
    bytes_ += page_chunks * sizeof(StoredChunk);
  }
  return page[number % page_chunks];
}

std::uint64_t ChunkIndex::number_of(const std::vector<std::uint64_t>& at) const {
  std::uint64_t number = 0;
  for (std::size_t d = 0; d < along_.size(); ++d) number = number * along_[d] + at[d] / chunk_[d];
  return number;
}

void ChunkIndex::look_up(std::uint64_t number, const ChunkFinder& finder) {
  complete_ = finder.visit([&](const std::vector<std::uint64_t>& at, const StoredChunk& chunk) {
    for (std::size_t d = 0; d < at.size(); ++d)
      if (at[d] / chunk_[d] >= along_[d]) return;  // of a dataset that was larger
    place(number_of(at)) = chunk;
  });
  if (complete_) return;
  std::vector<std::uint64_t> at(along_.size());
  auto rest = number;
  for (std::size_t d = along_.size(); d-- > 0; rest /= along_[d]) at[d] = rest % along_[d] * chunk_[d];
  place(number) = finder.find(at).value_or(StoredChunk{absent, 0, 0});
}

std::optional<StoredChunk> ChunkIndex::at(std::uint64_t number, const Finder& finder) {
  if (!complete_ && place(number).offset == unknown) look_up(number, finder());
  const auto& chunk = place(number);
  if (chunk.offset >= absent) return std::nullopt;
  return chunk;
}

}  // namespace headrace::h5::chunks
