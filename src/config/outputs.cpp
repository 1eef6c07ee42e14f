#include "config/outputs.hpp"

namespace headrace::config {

namespace {

std::string name_of(Compression::How how) {
  switch (how) {
    case Compression::How::none:
      return "none";
    case Compression::How::gzip:
      return "gzip";
    case Compression::How::lzf:
      return "lzf";
    case Compression::How::lz4:
      return "lz4";
    case Compression::How::zstd:
      return "zstd";
  }
  return "?";
}

}  // namespace

std::string_view word(FileLayout layout) {
  switch (layout) {
    case FileLayout::plain:
      return "plain";
    case FileLayout::umami:
      return "umami";
    case FileLayout::ftag:
      return "ftag";
  }
  return "?";
}

std::string_view word(ExportFormat format) {
  switch (format) {
    case ExportFormat::tfrecord:
      return "tfrecord";
    case ExportFormat::npy:
      return "npy";
    case ExportFormat::zarr:
      return "zarr";
  }
  return "?";
}

std::string_view word(FeatureNames names) {
  return names == FeatureNames::umami ? "umami" : "fields";
}

std::string text_of(const Compression& compression) {
  const auto name = name_of(compression.how);
  return compression.level > 0 ? name + ":" + std::to_string(compression.level) : name;
}

}  // namespace headrace::config
