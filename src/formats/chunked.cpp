#include "formats/chunked.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/contract.hpp"
#include "base/crc32c.hpp"
#include "base/error.hpp"

namespace headrace::formats {

namespace {

template <class Value>
void put(std::span<std::byte>& to, const Value& value) {
  std::memcpy(to.data(), &value, sizeof value);
  to = to.subspan(sizeof value);
}

template <class Value>
Value take(std::span<const std::byte>& from) {
  require(from.size() >= sizeof(Value), "a block of another stager is cut off; do all run the same version?");
  Value value;
  std::memcpy(&value, from.data(), sizeof value);
  from = from.subspan(sizeof value);
  return value;
}

}  // namespace

std::vector<std::byte> EncodedBlock::pack() const {
  constexpr std::size_t head = sizeof entry.block + sizeof entry.crc + sizeof(std::uint64_t);
  constexpr std::size_t each = sizeof(StoredChunk::bytes) + sizeof(StoredChunk::skipped);
  std::vector<std::byte> message(head + entry.chunks.size() * each + bytes.size());
  std::span<std::byte> left = message;
  put(left, entry.block);
  put(left, entry.crc);
  put(left, static_cast<std::uint64_t>(entry.chunks.size()));
  for (const auto& chunk : entry.chunks) {
    put(left, chunk.bytes);
    put(left, chunk.skipped);
  }
  std::ranges::copy(bytes, left.begin());
  return message;
}

EncodedBlock EncodedBlock::unpack(std::span<const std::byte> message) {
  EncodedBlock block;
  block.entry.block = take<std::uint64_t>(message);
  block.entry.crc = take<std::uint32_t>(message);
  const auto chunks = take<std::uint64_t>(message);
  require(chunks <= message.size(), "a block of another stager is cut off; do all run the same version?");
  for (std::uint64_t i = 0; i < chunks; ++i) {
    StoredChunk chunk;
    chunk.bytes = take<std::uint64_t>(message);
    chunk.skipped = take<std::uint32_t>(message);
    block.entry.chunks.push_back(chunk);
  }
  block.bytes.assign(message.begin(), message.end());
  return block;
}

std::vector<h5::codecs::Encoding> chunk_tables(std::vector<Table>& tables, h5::codecs::Method method, int level,
                                               std::uint64_t chunk_bytes, std::uint64_t block_rows) {
  EXPECTS(std::has_single_bit(block_rows));
  std::vector<h5::codecs::Encoding> encodings;
  for (auto& table : tables) {
    auto& dataset = table.dataset;
    const auto row = std::max<std::uint64_t>(1, dataset.row_bytes());
    const auto fit = std::bit_floor(std::max<std::uint64_t>(1, chunk_bytes / row));
    // A fixed dataset must not be smaller than its chunk.
    const auto most = std::bit_floor(std::max<std::uint64_t>(1, dataset.dims[0]));
    dataset.chunk_rows = std::min({fit, block_rows, most});
    encodings.push_back({method, level, dataset.element_bytes()});
    dataset.filters.clear();
    for (auto& filter : h5::codecs::filters_of(encodings.back(), dataset.chunk_rows * row))
      dataset.filters.push_back({filter.id, std::move(filter.values)});
  }
  return encodings;
}

EncodedBlock encode(std::uint64_t block, std::uint64_t first, std::size_t rows, const std::vector<Table>& tables,
                    std::span<const h5::codecs::Encoding> encodings, const Schema& schema,
                    std::span<const std::byte* const> fields) {
  thread_local std::vector<std::byte> made, packed;
  EncodedBlock out{{block, 0, {}}, {}};
  for (std::size_t t = 0; t < tables.size(); ++t) {
    const auto& table = tables[t];
    const auto row = table.dataset.row_bytes(), chunk = table.dataset.chunk_rows * row;
    // The last chunk is whole, too.
    made.assign((rows * row + chunk - 1) / std::max<std::uint64_t>(1, chunk) * chunk, std::byte{});
    if (table.is_copy())
      std::memcpy(made.data(), fields[table.parts[0].field], rows * row);
    else
      assemble(table, schema, first, rows, fields, made.data());
    out.entry.crc = crc32c(std::span(made).first(rows * row), out.entry.crc);
    for (std::size_t at = 0; at < made.size(); at += chunk) {
      const auto skipped = h5::codecs::encode(encodings[t], std::span(made).subspan(at, chunk), packed);
      out.entry.chunks.push_back({0, packed.size(), skipped});
      out.bytes.insert(out.bytes.end(), packed.begin(), packed.end());
    }
  }
  return out;
}

BlockEntry put(h5::NewFile& file, const std::vector<Table>& tables, std::uint64_t first, std::size_t rows,
               const EncodedBlock& block) {
  auto entry = block.entry;
  std::size_t next = 0, at = 0;
  const auto bad = "a block has other chunks than its file; do all stagers run the same version?";
  for (std::size_t t = 0; t < tables.size(); ++t) {
    const auto chunk_rows = tables[t].dataset.chunk_rows;
    if (tables[t].dataset.row_bytes() == 0) continue;
    for (auto row = first; row < first + rows; row += chunk_rows) {
      require(next < entry.chunks.size() && at + entry.chunks[next].bytes <= block.bytes.size(), bad);
      auto& chunk = entry.chunks[next++];
      try {
        const auto bytes = std::span(block.bytes).subspan(at, chunk.bytes);
        chunk.offset = file.write_chunk(t, row / chunk_rows, bytes, chunk.skipped).offset;
      } catch (const Error& error) {
        throw WriteFailed(error.what());
      }
      at += chunk.bytes;
    }
  }
  require(next == entry.chunks.size(), bad);
  return entry;
}

}  // namespace headrace::formats
