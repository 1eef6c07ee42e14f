// A sink that keeps everything, and knows what each element should be.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <mutex>
#include <vector>

#include "reader/load.hpp"

class SampleSink : public headrace::reader::Sink {
 public:
  /// in_place: rows go straight to their place wherever the reader can.
  SampleSink(const headrace::catalog::Catalog& catalog, bool in_place) : catalog_(catalog), in_place_(in_place) {
    for (const auto& dataset : catalog.datasets) {
      bytes_.emplace_back(catalog.samples * dataset.row_bytes, untouched);
      accepted_.emplace_back(catalog.samples, 0u);
    }
  }

  std::byte* place(std::size_t dataset, std::uint64_t first, std::uint64_t) override {
    return in_place_ ? bytes_[dataset].data() + first * catalog_.datasets[dataset].row_bytes : nullptr;
  }
  void accept(std::size_t dataset, std::uint64_t first, std::uint64_t rows, const std::byte* raw) override {
    const auto row = catalog_.datasets[dataset].row_bytes;
    std::copy_n(raw, rows * row, bytes_[dataset].data() + first * row);
    const std::lock_guard lock(mutex_);
    for (auto s = first; s < first + rows; ++s) ++accepted_[dataset][s];
  }

  /// The element as a number.
  double value(std::size_t dataset, std::uint64_t sample, std::uint64_t element) const {
    const auto& info = catalog_.datasets[dataset];
    const auto size = headrace::size_of(info.element().dtype);
    std::array<std::byte, 8> raw{};
    std::copy_n(bytes_[dataset].data() + sample * info.row_bytes + element * size, size, raw.data());
    if (info.element().big_endian) std::reverse(raw.data(), raw.data() + size);
    return number(info.element().dtype, raw);
  }
  bool touched(std::size_t dataset, std::uint64_t sample) const {
    const auto row = catalog_.datasets[dataset].row_bytes;
    const auto* first = bytes_[dataset].data() + sample * row;
    return std::any_of(first, first + row, [](std::byte b) { return b != untouched; });
  }
  unsigned accepted(std::size_t dataset, std::uint64_t sample) const { return accepted_[dataset][sample]; }
  const std::vector<std::byte>& bytes(std::size_t dataset) const { return bytes_[dataset]; }

 private:
  static constexpr std::byte untouched{0xee};

  template <class T>
  static double as(const std::array<std::byte, 8>& raw) {
    T value;
    std::memcpy(&value, raw.data(), sizeof value);
    return static_cast<double>(value);
  }
  static double half(const std::array<std::byte, 8>& raw) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, raw.data(), sizeof bits);
    const auto exponent = bits >> 10 & 31;
    const double mantissa = exponent == 0 ? (bits & 1023) / 1024.0 : 1 + (bits & 1023) / 1024.0;
    return (bits >> 15 ? -1 : 1) * std::ldexp(mantissa, exponent == 0 ? -14 : exponent - 15);
  }
  static double number(headrace::DType type, const std::array<std::byte, 8>& raw) {
    using headrace::DType;
    switch (type) {
      case DType::boolean:
      case DType::uint8:
        return as<std::uint8_t>(raw);
      case DType::int8:
        return as<std::int8_t>(raw);
      case DType::int16:
        return as<std::int16_t>(raw);
      case DType::uint16:
        return as<std::uint16_t>(raw);
      case DType::int32:
        return as<std::int32_t>(raw);
      case DType::uint32:
        return as<std::uint32_t>(raw);
      case DType::int64:
        return as<std::int64_t>(raw);
      case DType::uint64:
        return as<std::uint64_t>(raw);
      case DType::float16:
        return half(raw);
      case DType::float32:
        return as<float>(raw);
      case DType::float64:
        return as<double>(raw);
      default:
        return std::nan("");
    }
  }

  const headrace::catalog::Catalog& catalog_;
  bool in_place_;
  std::vector<std::vector<std::byte>> bytes_;
  std::vector<std::vector<unsigned>> accepted_;
  std::mutex mutex_;
};
