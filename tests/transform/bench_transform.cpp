// How fast fields are made, against memcpy of the same raw bytes in the same run, on one core and with data larger than
// the caches: bench_transform [repeats] [MB]
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "transform/field_transform.hpp"

namespace {

using namespace headrace;
using namespace headrace::transform;

/// Of this thread on its processor: what others do there in between does not count.
double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double seconds_of(auto&& job) {
  const double start = now();
  job();
  return now() - start;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Bench {
  int repeats;
  std::uint64_t bytes;
  std::vector<std::byte> raw, out;

  Bench(int repeats_, std::uint64_t bytes_)
      : repeats(repeats_), bytes(bytes_), raw(bytes_), out(4 * bytes_) {}  // bytes may become float32

  /// The two take turns, so that both see the same machine.
  void operator()(const char* what, const FieldSpec& field, const std::byte* valid = nullptr) {
    const FieldTransform transform(field);
    const auto row = field.items[0].raw.row_bytes();
    const auto rows = bytes / row;
    std::vector<double> copies, transforms;
    for (int i = 0; i < repeats; ++i) {
      copies.push_back(seconds_of([&] { std::memcpy(out.data(), raw.data(), rows * row); }));
      transforms.push_back(seconds_of([&] { transform.apply(0, raw.data(), rows, valid, out.data()); }));
    }
    const double copy = median(copies), own = median(transforms);
    std::printf("%-58s %6.2f GB/s   memcpy %6.2f GB/s   ratio %.2f\n", what,
                static_cast<double>(rows * row) / own / 1e9, static_cast<double>(rows * row) / copy / 1e9, copy / own);
  }
};

/// Rows of `records` records of `columns` columns of one type, one after another.
FieldSpec plain(DType from, DType to, std::uint64_t records, std::uint32_t columns) {
  FieldSpec field;
  field.records = records;
  field.columns = columns;
  field.dtype = to;
  ItemSpec item;
  const auto size = size_of(from);
  for (std::uint32_t c = 0; c < columns; ++c)
    item.columns.push_back({.name = std::to_string(c), .cell = {.dtype = from, .offset = c * size, .bytes = size}});
  item.raw = {.records = records, .record_bytes = columns * size};
  field.items.push_back(item);
  return field;
}

void each(FieldSpec& field, auto&& change) {
  for (auto& column : field.items[0].columns) change(column);
}

void scale(ColumnSpec& column) {
  column.scaled = true;
  column.shift = 1.5;
  column.scale = 3;
  column.nonfinite.kind = Nonfinite::Kind::error;
}

template <class Value>
void fill(std::vector<std::byte>& bytes) {
  for (std::uint64_t i = 0; i < bytes.size() / sizeof(Value); ++i) {
    const auto value = static_cast<Value>(i % 97 + 1);
    std::memcpy(bytes.data() + i * sizeof(Value), &value, sizeof(Value));
  }
}

void bench_plain(Bench& bench) {
  using enum DType;
  bench("float32 copied", plain(float32, float32, 1024, 1));
  auto field = plain(float32, float32, 1024, 1);
  each(field, [](auto& column) { column.cell.big_endian = true; });
  bench("float32, other byte order", field);
  for (const auto to : {float32, float16, bfloat16, float64}) {
    field = plain(float32, to, 1024, 1);
    each(field, scale);
    bench(("float32 (x - shift) / scale to " + std::string(name_of(to))).c_str(), field);
  }
  bench("float32 to float16", plain(float32, float16, 1024, 1));
  field = plain(float32, float32, 1024, 1);
  each(field, [](auto& column) { column.tanh_log = true; });
  bench("float32 tanh-log", field);
  each(field, [](auto& column) { column.tanh_log = false, column.log = true; });
  bench("float32 log", field);
  field = plain(float32, float32, 40, 16);
  each(field, [n = 0](auto& column) mutable { scale(column), column.scale = ++n; });
  bench("float32, 16 columns, each its own scale", field);
  field = plain(float32, float16, 40, 16);
  each(field, [n = 0](auto& column) mutable { scale(column), column.scale = ++n; });
  bench("float32, 16 columns, each its own scale, to float16", field);
}

void bench_types(Bench& bench) {
  using enum DType;
  fill<double>(bench.raw);
  auto field = plain(float64, float64, 1024, 1);
  each(field, scale);
  bench("float64 (x - shift) / scale", field);
  bench("float64 to float32", plain(float64, float32, 1024, 1));
  bench("float64 to float16", plain(float64, float16, 1024, 1));
  fill<std::int32_t>(bench.raw);
  bench("int32 to int16", plain(int32, int16, 1024, 1));
  bench("int32 to float32", plain(int32, float32, 1024, 1));
  field = plain(int32, float32, 1024, 1);
  each(field, scale);
  bench("int32 (x - shift) / scale to float32", field);
  fill<std::int64_t>(bench.raw);
  field = plain(int64, float64, 1024, 1);
  each(field, scale);
  bench("int64 (x - shift) / scale to float64", field);
  fill<float>(bench.raw);
  bench("float32 to uint8, no fractions", plain(float32, uint8, 1024, 1));
  fill<std::uint8_t>(bench.raw);
  field = plain(uint8, float32, 1024, 1);
  each(field, scale);
  bench("uint8 (x - shift) / scale to float32 (4 bytes out of 1)", field);
  fill<std::uint16_t>(bench.raw);
  field = plain(float16, float32, 1024, 1);
  bench("float16 to float32", field);
}

void bench_records(Bench& bench) {
  using enum DType;
  fill<float>(bench.raw);
  auto field = plain(float32, float32, 40, 8);
  field.items[0].raw.record_bytes = 40;  // two columns that nobody wants
  each(field, [n = 0](auto& column) mutable { scale(column), column.scale = ++n; });
  bench("8 of 10 members of a compound, each its own scale", field);
  std::vector<std::byte> valid(bench.bytes / 40);
  for (std::size_t i = 0; i < valid.size(); ++i) valid[i] = std::byte{i % 3 != 0};
  bench("the same, a third of the records not valid", field, valid.data());
}

}  // namespace

int main(int argc, char** argv) {
  const int repeats = argc > 1 ? std::max(1, std::atoi(argv[1])) : 7;
  const auto megabytes = static_cast<std::uint64_t>(argc > 2 ? std::max(1, std::atoi(argv[2])) : 256);
  Bench bench(repeats, megabytes << 20);
  fill<float>(bench.raw);
  bench_plain(bench);
  bench_types(bench);
  bench_records(bench);
  return 0;
}
