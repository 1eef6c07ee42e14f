#include "reader/synthetic.hpp"

#include <algorithm>
#include <vector>

#include "h5/write.hpp"
#include "mpi/agree.hpp"

namespace headrace::reader {

namespace {

constexpr std::uint64_t round_bytes = std::uint64_t{16} << 20;  // per rank

template <class Value>
void fill(std::uint64_t first, std::uint64_t rows, std::uint64_t columns, std::byte* bytes) {
  auto* value = reinterpret_cast<Value*>(bytes);
  for (auto sample = first; sample < first + rows; ++sample)
    for (std::uint64_t column = 0; column < columns; ++column)
      *value++ = static_cast<Value>(synthetic_value(sample, column));
}

}  // namespace

void write_synthetic(const mpi::Comm& comm, const std::string& path, std::uint64_t rows, std::uint64_t row_bytes) {
  EXPECTS(rows > 0 && row_bytes > 0);
  const bool floats = row_bytes % sizeof(float) == 0;
  const auto columns = floats ? row_bytes / sizeof(float) : row_bytes;
  h5::CollectiveWriter writer(comm, path, "data", {rows, columns}, floats ? h5::Number::float32 : h5::Number::uint8);
  const auto ranks = static_cast<std::uint64_t>(comm.size()), rank = static_cast<std::uint64_t>(comm.rank());
  const auto share = (rows + ranks - 1) / ranks;
  const auto first = std::min(rows, rank * share), last = std::min(rows, first + share);
  const auto step = std::max<std::uint64_t>(1, round_bytes / row_bytes);
  std::vector<std::byte> buffer(std::min(step, std::max<std::uint64_t>(1, last - first)) * row_bytes);
  for (std::uint64_t at = 0; at < share; at += step) {
    const auto from = std::min(last, first + at), until = std::min(last, from + step);
    if (floats)
      fill<float>(from, until - from, columns, buffer.data());
    else
      fill<std::uint8_t>(from, until - from, columns, buffer.data());
    mpi::together(comm, [&] { writer.write(from, until - from, buffer.data()); });
  }
}

}  // namespace headrace::reader
