#include "reader/route.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reader/decode.hpp"

namespace headrace::reader {

namespace {

constexpr std::uint64_t band_limit = std::uint64_t{32} << 20;  // larger ones are left to HDF5, unless a single chunk

bool one_chunk_wide(const h5::DatasetInfo& dataset) {
  for (std::size_t i = 1; i < dataset.dims.size(); ++i)
    if (dataset.chunk[i] < dataset.dims[i]) return false;
  return true;
}

/// Whether every chunk has been written: nothing is compressed, so that each takes as much as any other.
bool all_chunks_there(const h5::DatasetInfo& dataset) {
  std::uint64_t chunks = 1, bytes = dataset.type.size;
  for (std::size_t i = 0; i < dataset.dims.size(); ++i) {
    chunks *= (dataset.dims[i] + dataset.chunk[i] - 1) / dataset.chunk[i];
    bytes *= dataset.chunk[i];
  }
  return dataset.stored_bytes == chunks * bytes;
}

/// Why HDF5 must not read this collectively; "" where it may. Up to 1.12 it takes filtered chunks for filtered whatever
/// their mask says, and fails at chunks that were never written; and in every version a rank that wants rows of what
/// holds nothing yet comes back at once, while those without rows wait for it.
std::string not_together(const h5::DatasetInfo& dataset) {
  if (!dataset.filters.empty()) return "filtered";
  const bool there = dataset.layout == h5::Layout::chunked ? all_chunks_there(dataset) : dataset.offset.has_value();
  return there ? "" : "not all of it was written";
}

Route direct_chunks(const h5::DatasetInfo& dataset) {
  for (const auto& filter : dataset.filters)
    if (!Decoder::knows(filter.id)) return {Way::library, fmt::format("only HDF5 undoes filter {}", filter.name)};
  if (!one_chunk_wide(dataset) && band_bytes(dataset) > band_limit)
    return {Way::library, "the chunks that hold one row are too large to hold together"};
  std::string names;
  for (const auto& filter : dataset.filters) names += (names.empty() ? "" : " + ") + filter.name;
  return {Way::chunks, names.empty() ? "chunked" : "chunked, " + names};
}

Route direct(const h5::DatasetInfo& dataset) {
  if (dataset.layout == h5::Layout::chunked) return direct_chunks(dataset);
  if (!dataset.offset) return {Way::library, "nothing was written"};
  return {Way::plain, "contiguous"};
}

}  // namespace

std::uint64_t band_bytes(const h5::DatasetInfo& dataset) {
  std::uint64_t n = dataset.chunk[0] * dataset.type.size;
  for (std::size_t i = 1; i < dataset.dims.size(); ++i)
    n *= (dataset.dims[i] + dataset.chunk[i] - 1) / dataset.chunk[i] * dataset.chunk[i];
  return n;
}

std::uint64_t rows_at_once(const h5::DatasetInfo& dataset, std::uint64_t bytes) {
  constexpr std::uint64_t most_chunks = 1 << 16;
  constexpr std::uint64_t most_ragged = 4096;  // of any length, which HDF5 allocates on the heap
  auto rows = bytes / std::max<std::uint64_t>(1, dataset.row_bytes());
  if (h5::has_pointers(dataset.type)) rows = std::min(rows, most_ragged);
  if (dataset.layout != h5::Layout::chunked) return std::max<std::uint64_t>(1, rows);
  std::uint64_t beside = 1;  // chunks that the same row lies in
  for (std::size_t i = 1; i < dataset.dims.size(); ++i)
    beside *= (dataset.dims[i] + dataset.chunk[i] - 1) / dataset.chunk[i];
  const auto in_chunks = std::max<std::uint64_t>(1, most_chunks / beside);
  return std::max<std::uint64_t>(1, rows / dataset.chunk[0] < in_chunks ? rows : in_chunks * dataset.chunk[0]);
}

Route route(Io io, const h5::DatasetInfo& dataset) {
  if (h5::has_pointers(dataset.type)) return {Way::library, "of variable length"};
  if (dataset.layout == h5::Layout::compact) return {Way::library, "compact"};
  if (dataset.layout == h5::Layout::other) return {Way::library, "virtual or in external files"};
  if (io != Io::collective) return direct(dataset);
  const auto why_not = not_together(dataset);
  if (why_not.empty()) return {Way::collective, "as asked"};
  auto instead = direct(dataset);
  instead.why += "; not read collectively: " + why_not;
  return instead;
}

std::string_view text_of(Way way) {
  switch (way) {
    case Way::plain:
      return "pread";
    case Way::chunks:
      return "decoded chunks";
    case Way::library:
      return "H5Dread";
    case Way::foreign:
      return "files of samples";
    case Way::collective:
      break;
  }
  return "collective H5Dread";
}

}  // namespace headrace::reader
