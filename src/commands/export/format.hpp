// A kind of file: how many there are of how many rows, and what a worker does with a few of them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/schema.hpp"
#include "config/outputs.hpp"

namespace headrace::commands::exporting {

/// The files of so many rows that belong together: written by one stager, there once all are.
class Shard {
 public:
  virtual ~Shard() = default;
  /// The `part`-th piece: rows [first, first + rows) of the shard. Any worker, pieces in any order.
  virtual void write(std::uint64_t part, std::uint64_t first, std::size_t rows,
                     std::span<const std::byte* const> fields) = 0;
  /// All pieces are written: works out what is left to work out. Any worker, once.
  virtual void close() {}
  /// Then: all is on the disk, and the files have their names. Mostly waits. Any thread, once.
  virtual void finish() = 0;
};

class Format {
 public:
  virtual ~Format() = default;
  /// first_row: position of its first row, for messages.
  virtual std::unique_ptr<Shard> shard(std::uint64_t number, std::uint64_t first_row, std::uint64_t rows) const = 0;
  /// The paths of a shard's files.
  virtual std::vector<std::string> files_of(std::uint64_t number) const = 0;
  /// Bytes of a row, about.
  virtual std::uint64_t row_bytes() const = 0;
  /// What metadata.json tells beside what all formats tell.
  virtual void describe(nlohmann::ordered_json& metadata) const = 0;
  /// The files that stand beside the shards, by path within the folder.
  virtual std::vector<std::pair<std::string, std::string>> other_files() const { return {}; }
};

/// Files of a folder are numbered from 1, with at least four digits.
std::string number_text(std::uint64_t number, std::uint64_t of);

/// What the stream has so many shards of.
std::uint64_t shards_of(std::uint64_t samples, std::uint64_t chunk_size);

}  // namespace headrace::commands::exporting
