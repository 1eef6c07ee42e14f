// What the fake service delivers: every value follows from the sample number, so that a swapped row cannot pass.
//
//   x      float32 [3, 4]   x[i][j] = s + (4 i + j) / 16        (exact for s < 2^19)
//   label  int64            10 s
//   even   bool [2]         s % 2 == 0, s % 3 == 0
//
// Position p of epoch e of the k-th stream holds sample (p * stride + 17 e + k) mod rows, with the first stride of 7,
// 11, 13, 17, ... that has no common divisor with rows. Trainer t of T gets positions [(b T + t) batch, ... + batch) in
// step b, in ascending order of the samples.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <vector>

#include "base/schema.hpp"

namespace formula {

inline headrace::Schema schema() {
  using headrace::DType;
  return {{"x", DType::float32, {3, 4}, {"a", "b", "c", "d"}, {}},
          {"label", DType::int64, {}, {}, {"cat", "dog"}},
          {"even", DType::boolean, {2}, {}, {}}};
}

inline std::uint64_t stride(std::uint64_t rows) {
  std::uint64_t stride = 7;
  while (std::gcd(stride, rows) != 1) stride += stride % 6 == 1 ? 4 : 2;
  return stride;
}

inline std::uint64_t sample(std::uint64_t rows, std::uint64_t stream, std::uint64_t epoch, std::uint64_t position) {
  return (position * stride(rows) + 17 * epoch + stream) % rows;
}

struct Part {
  std::vector<std::int64_t> samples;  // real ones ascending, then padding
  std::uint32_t rows = 0;             // real
};

/// What trainer t of T gets in a step. pad: filled up with positions 0, 1, ...
inline Part part(std::uint64_t rows, std::uint64_t stream, std::uint64_t epoch, std::uint64_t step, std::uint32_t batch,
                 std::uint32_t trainer, std::uint32_t trainers, bool pad) {
  Part part;
  const std::uint64_t first = (step * trainers + trainer) * batch;
  for (std::uint64_t p = first; p < std::min(first + batch, rows); ++p)
    part.samples.push_back(static_cast<std::int64_t>(sample(rows, stream, epoch, p)));
  std::ranges::sort(part.samples);
  part.rows = static_cast<std::uint32_t>(part.samples.size());
  for (std::uint64_t p = 0; pad && part.samples.size() < batch; ++p)
    part.samples.push_back(static_cast<std::int64_t>(sample(rows, stream, epoch, p % rows)));
  return part;
}

/// One row of a field, as bytes at `to`.
inline void write_row(std::size_t field, std::int64_t s, std::byte* to) {
  float x[12];
  for (int i = 0; i < 12; ++i) x[i] = static_cast<float>(s) + static_cast<float>(i) / 16;
  const std::int64_t label = 10 * s;
  const unsigned char even[2] = {s % 2 == 0, s % 3 == 0};
  switch (field) {
    case 0:
      std::memcpy(to, x, sizeof x);
      break;
    case 1:
      std::memcpy(to, &label, sizeof label);
      break;
    default:
      std::memcpy(to, even, sizeof even);
  }
}

}  // namespace formula
