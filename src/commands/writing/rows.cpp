#include "commands/writing/rows.hpp"

#include <cstring>
#include <optional>

#include "base/narrow.hpp"

namespace headrace::commands::writing {

namespace {

constexpr std::size_t aligned = 64;

/// Where each array of so many rows begins, and the end.
std::vector<std::size_t> places(const Schema& schema, std::size_t rows) {
  std::vector<std::size_t> at{0};
  for (const auto& field : schema)
    at.push_back(at.back() + (rows * field.row_bytes() + aligned - 1) / aligned * aligned);
  return at;
}

}  // namespace

Schema schema_of(const service::Staging& staging, bool provenance) {
  auto schema = staging.blueprint().schema;
  if (!provenance) return schema;
  schema.push_back({.name = "headrace_file", .dtype = DType::int32});
  schema.push_back({.name = "headrace_row", .dtype = DType::int64});
  return schema;
}

Rows::Rows(const service::Staging& staging, bool provenance)
    : staging_(staging),
      samples_(staging.blueprint().streams[0].samples),
      schema_(schema_of(staging, provenance)),
      served_(staging.blueprint().schema.size()) {
  const auto& stream = staging.blueprint().streams[0];
  order_ = stream.epoch_order(staging.config().seed, 0);
}

Buffer Rows::make_buffer(std::size_t rows) const {
  Buffer buffer;
  buffer.index.resize(rows);
  const auto at = places(schema_, rows);
  buffer.memory.resize(at.back());
  for (std::size_t f = 0; f < schema_.size(); ++f) buffer.into.push_back(buffer.memory.data() + at[f]);
  buffer.fields.assign(buffer.into.begin(), buffer.into.end());
  return buffer;
}

bool Rows::take(std::uint64_t first, std::size_t rows, Buffer& buffer, std::function<void()> done) const {
  const service::delivery::Target target{
      buffer.index.data(), {buffer.into.begin(), buffer.into.begin() + static_cast<std::ptrdiff_t>(served_)}};
  return staging_.supply().fill({0, {first, narrow<std::uint32_t>(rows), 0, 0}, order_, std::nullopt, true}, target,
                                std::move(done));
}

void Rows::settle(std::size_t rows, Buffer& buffer) const {
  if (served_ == schema_.size()) return;
  const auto& catalog = staging_.blueprint().catalog;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto sample = static_cast<std::uint64_t>(buffer.index[i]);
    const auto file = catalog.file_of(sample);
    const auto number = static_cast<std::int32_t>(file);
    const auto row = static_cast<std::int64_t>(sample - catalog.files[file].first_sample);
    std::memcpy(buffer.into[served_] + i * sizeof number, &number, sizeof number);
    std::memcpy(buffer.into[served_ + 1] + i * sizeof row, &row, sizeof row);
  }
}

}  // namespace headrace::commands::writing
