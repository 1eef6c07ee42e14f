// What is written, and how: [premix] and [export]. Kept apart from what serve is told; made by read_outputs() (load.hpp)
// from the same sources. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.hpp"

namespace headrace::config {

/// What shrinks the chunks of a file that is written.
struct Compression {
  enum class How { none, gzip, lzf, lz4, zstd } how = How::none;
  int level = 0;  ///< of gzip and zstd
  bool operator==(const Compression&) const = default;
};

enum class FileLayout { plain, umami, ftag };

/// [premix]: the file that holds a stream in its order.
struct PremixConfig {
  std::string file;
  FileLayout layout = FileLayout::plain;
  Compression compression;
  std::uint64_t chunk = 1 << 20;   ///< bytes of a chunk, before compression
  std::uint64_t file_samples = 0;  ///< of each file of several; 0: one file
  bool provenance = false;
  std::vector<std::pair<std::string, std::string>> datasets;  ///< path in the file, field
  bool operator==(const PremixConfig&) const = default;
};

enum class ExportFormat { tfrecord, npy, zarr };
enum class FeatureNames { fields, umami };

/// [export]: the same in files of other kinds.
struct ExportConfig {
  ExportFormat format = ExportFormat::tfrecord;
  std::uint64_t chunk_size = 5000;  ///< samples of a file
  std::uint64_t add_vars = 0;
  FeatureNames names = FeatureNames::fields;
  Compression compression;  ///< of Zarr's chunks
  bool operator==(const ExportConfig&) const = default;
};

struct Outputs {
  PremixConfig premix;
  ExportConfig exported;
};

/// All that a command is told that writes a stream.
struct OutputConfig : Config, Outputs {};

std::string_view word(FileLayout layout);
std::string_view word(ExportFormat format);
std::string_view word(FeatureNames names);
/// "none", "gzip:4", "lzf", ...
std::string text_of(const Compression& compression);

}  // namespace headrace::config
