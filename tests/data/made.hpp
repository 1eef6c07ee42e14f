// Data sets and streams made by hand, without files.
#pragma once

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/schema.hpp"
#include "catalog/catalog.hpp"
#include "config/config.hpp"

namespace service_test {

using namespace headrace;
using namespace headrace::config;

inline catalog::DatasetInfo dataset(std::string path, DType dtype, std::vector<std::uint64_t> shape,
                                    std::uint64_t chunk_rows) {
  catalog::DatasetInfo info;
  info.path = std::move(path);
  info.row_shape = std::move(shape);
  info.type.size = size_of(dtype);
  info.type.kind = dtype == DType::float32 ? h5::Kind::floating : h5::Kind::integer;
  info.type.is_signed = dtype != DType::uint8;
  info.row_bytes = Field{info.path, dtype, info.row_shape, {}, {}}.row_bytes();
  info.chunk_rows = chunk_rows;
  return info;
}

inline catalog::Catalog catalog(std::uint64_t samples, std::uint64_t chunk_rows = 1) {
  catalog::Catalog catalog;
  catalog.samples = samples;
  catalog.datasets = {dataset("big", DType::float32, {25, 3}, chunk_rows), dataset("empty", DType::int16, {0}, 0),
                      dataset("n", DType::int64, {}, 0), dataset("odd", DType::uint8, {7}, 0)};
  return catalog;
}

inline StreamConfig stream(std::string name, std::string select, std::uint32_t batch, plan::Shuffle shuffle,
                           plan::Last last, std::uint64_t epochs = 0) {
  StreamConfig config;
  config.name = std::move(name);
  config.select = std::move(select);
  config.batch = batch;
  config.shuffle = shuffle;
  config.last = last;
  config.epochs = epochs;
  return config;
}

/// A slice with Python's meaning over `samples`, never empty.
inline std::string random_select(std::mt19937_64& random, std::uint64_t samples) {
  const auto slice = [&] {
    const auto first = random() % samples, last = first + 1 + random() % (samples - first);
    return std::to_string(first) + ":" + std::to_string(last) + ":" +
           std::to_string(random() % 2 ? 1 : 1 + random() % 3);
  };
  switch (random() % 4) {
    case 0:
      return "";
    case 1:
      return slice() + "," + slice();
    default:
      return slice();
  }
}

}  // namespace service_test
