#include "service/blueprint/block_sums.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <variant>

#include "mpi/agree.hpp"
#include "plan/figures/shuffle_quality.hpp"

namespace headrace::service::blueprint {

namespace {

constexpr std::uint64_t most_in_a_row = 16, most_row_bytes = 64, most_columns = 32;
constexpr std::uint64_t rows_at_a_time = 1 << 20;

/// Adds values one by one without losing the small ones (Welford).
class Adder {
 public:
  explicit Adder(BlockSums& sums) : sums_(sums) {}

  void add(std::uint64_t block, double value, std::uint64_t copies) {
    if (!std::isfinite(value)) return;
    const auto count = static_cast<double>(sums_.counts[block] += copies);
    const auto weight = static_cast<double>(copies);
    const auto from_mean = value - sums_.means[block];
    sums_.means[block] += from_mean * (weight / count);
    sums_.squares[block] += weight * from_mean * (value - sums_.means[block]);
  }

 private:
  BlockSums& sums_;
};

/// Of samples [first, last), those of the stream.
void add_values(const condition::ColumnValues& values, std::uint64_t first, std::uint64_t last, const Runs& stream,
                const plan::Blocks& blocks, BlockSums& sums) {
  std::visit(
      [&](const auto& numbers) {
        using Number = typename std::decay_t<decltype(numbers)>::value_type;
        if constexpr (std::is_arithmetic_v<Number>) {
          Adder adder(sums);
          const auto& borders = blocks.first_sample;
          std::uint64_t block = 0;
          stream(first, last, [&](std::uint64_t begin, std::uint64_t count, std::uint64_t copies) {
            if (begin < borders[block] || begin >= borders[block + 1])
              block = static_cast<std::uint64_t>(std::ranges::upper_bound(borders, begin) - borders.begin()) - 1;
            for (auto sample = begin; sample < begin + count; ++sample) {
              while (sample >= borders[block + 1]) ++block;
              adder.add(block, static_cast<double>(numbers[sample - first]), copies);
            }
          });
        }
      },
      values);
}

/// Everybody's part of the blocks, everywhere.
template <class Number>
void share(std::vector<Number>& numbers, std::uint64_t first, std::uint64_t last, const mpi::Comm& comm) {
  std::string parcel((last - first) * sizeof(Number), '\0');
  if (!parcel.empty()) std::memcpy(parcel.data(), numbers.data() + first, parcel.size());
  std::size_t at = 0;
  for (const auto& part : comm.allgather(parcel)) {
    if (!part.empty()) std::memcpy(numbers.data() + at, part.data(), part.size());
    at += part.size() / sizeof(Number);
  }
}

}  // namespace

std::vector<std::string> small_columns(const catalog::Catalog& catalog) {
  std::vector<std::string> names;
  if (std::ranges::any_of(catalog.files, [](const auto& file) { return file.rows != nullptr; })) return names;
  for (const auto& dataset : catalog.datasets) {
    std::uint64_t elements = 1;
    for (const auto extent : dataset.row_shape) elements *= extent;
    const bool everywhere = std::ranges::none_of(dataset.in_file, [](const auto& d) { return d.path.empty(); });
    if (!catalog::element_of(dataset.type) || dataset.row_shape.size() > 1 || elements == 0 ||
        elements > most_in_a_row || dataset.row_bytes > most_row_bytes || !everywhere ||
        names.size() + elements > most_columns)
      continue;
    for (std::uint64_t i = 0; i < elements; ++i)
      names.push_back(dataset.row_shape.empty() ? dataset.path : dataset.path + "." + std::to_string(i));
  }
  return names;
}

std::vector<std::vector<BlockSums>> sum_blocks(const catalog::Contents& contents, const catalog::Catalog& catalog,
                                               const std::vector<std::string>& columns, const plan::Blocks& blocks,
                                               BlockRange mine, const std::vector<Runs>& streams, const mpi::Comm& comm,
                                               const reader::LoadOptions& options) {
  data::selection::SampleColumns read(contents, catalog);
  std::vector<BlockSums> empty;
  std::vector<std::size_t> numbers;  // of the columns
  mpi::together(comm, [&] {
    for (const auto& name : columns) {
      const auto column = read.add(name, "window");
      if (read.is_text(column)) continue;
      numbers.push_back(column);
      empty.push_back({name, std::vector<double>(blocks.size()), std::vector<double>(blocks.size()),
                       std::vector<std::uint64_t>(blocks.size())});
    }
  });
  std::vector<std::vector<BlockSums>> sums(streams.size(), empty);
  if (numbers.empty()) return sums;
  const auto begin = blocks.first_sample[mine.first], end = blocks.first_sample[mine.last];
  const auto rounds = comm.max((end - begin + rows_at_a_time - 1) / rows_at_a_time);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const auto first = std::min(end, begin + round * rows_at_a_time), last = std::min(end, first + rows_at_a_time);
    const std::array<reader::Interval, 1> all{{{first, last}}};
    read.read(comm, first, last,
              first < last ? std::span<const reader::Interval>(all) : std::span<const reader::Interval>(), options);
    if (first == last) continue;
    for (std::size_t s = 0; s < streams.size(); ++s)
      for (std::size_t c = 0; c < numbers.size(); ++c)
        add_values(read.values(numbers[c]), first, last, streams[s], blocks, sums[s][c]);
  }
  for (auto& of_stream : sums)
    for (auto& one : of_stream) {
      share(one.means, mine.first, mine.last, comm);
      share(one.squares, mine.first, mine.last, comm);
      share(one.counts, mine.first, mine.last, comm);
    }
  return sums;
}

Mixing mixing_of(const BlockSums& sums, const plan::Windows& windows) {
  std::vector<double> means;
  std::vector<std::uint64_t> rows;
  double mean = 0, all = 0, variance = 0;
  for (const auto block : windows.filled()) {
    means.push_back(sums.means[block]);
    rows.push_back(sums.counts[block] > 0 ? windows.rows(block) : 0);
    mean += means.back() * static_cast<double>(rows.back());
    all += static_cast<double>(rows.back());
  }
  mean /= std::max(1.0, all);
  for (std::size_t k = 0; k < means.size(); ++k) {
    const auto block = windows.filled()[k];
    const auto inside = sums.counts[block] > 0 ? sums.squares[block] / static_cast<double>(sums.counts[block]) : 0;
    variance += static_cast<double>(rows[k]) * (inside + (means[k] - mean) * (means[k] - mean));
  }
  variance /= std::max(1.0, all);
  const plan::BlockMeans field{means, rows, variance};
  Mixing mixing{sums.name, plan::between_blocks(field), plan::within_runs(field, windows)};
  mixing.told = std::isfinite(variance) && std::isfinite(mixing.between) && std::isfinite(mixing.within);
  return mixing;
}

}  // namespace headrace::service::blueprint
