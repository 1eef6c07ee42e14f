#include "commands/export/arrays.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "formats/array_file.hpp"
#include "formats/contiguous.hpp"
#include "formats/journal.hpp"
#include "h5/codecs/encode.hpp"
#include "ipc/fd.hpp"

namespace headrace::commands::exporting {

namespace {

namespace fs = std::filesystem;

/// Where the rows of a field go.
struct ArrayFile {
  std::string path;
  std::string head;        ///< before the rows
  std::uint64_t rows = 0;  ///< that the file has room for
};

class ArrayShard : public Shard {
 public:
  ArrayShard(const Schema& schema, std::vector<ArrayFile> files) : schema_(schema), files_(std::move(files)) {
    for (std::size_t f = 0; f < files_.size(); ++f) {
      const auto part = formats::part_of(files_[f].path);
      open_.emplace_back(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
      const auto bytes = files_[f].head.size() + files_[f].rows * schema_[f].row_bytes();
      if (!open_.back() || ftruncate(open_.back().get(), static_cast<off_t>(bytes)) != 0)
        throw formats::WriteFailed(errno_text("cannot write " + part, errno));
      formats::write_at(open_.back().get(), part, std::as_bytes(std::span(files_[f].head)), 0);
    }
  }

  void write(std::uint64_t, std::uint64_t first, std::size_t rows, std::span<const std::byte* const> fields) override {
    for (std::size_t f = 0; f < files_.size(); ++f) {
      const auto row = schema_[f].row_bytes();
      formats::write_at(open_[f].get(), formats::part_of(files_[f].path), {fields[f], rows * row},
                        files_[f].head.size() + first * row);
    }
  }

  void finish() override {
    for (std::size_t f = 0; f < files_.size(); ++f) {
      const auto part = formats::part_of(files_[f].path);
      formats::sync_file(open_[f].get(), part);
      open_[f] = ipc::Fd();
      fs::rename(part, files_[f].path);
    }
  }

 private:
  const Schema& schema_;
  const std::vector<ArrayFile> files_;
  std::vector<ipc::Fd> open_;
};

/// Chunks in memory until they are whole, then compressed.
class CompressedShard : public Shard {
 public:
  CompressedShard(const Schema& schema, std::vector<std::string> files, std::uint64_t chunk,
                  const formats::ZarrCompressor& by)
      : schema_(schema), files_(std::move(files)), by_(by) {
    for (const auto& field : schema_) chunks_.emplace_back(chunk * field.row_bytes());
  }

  void write(std::uint64_t, std::uint64_t first, std::size_t rows, std::span<const std::byte* const> fields) override {
    for (std::size_t f = 0; f < files_.size(); ++f)
      std::copy_n(fields[f], rows * schema_[f].row_bytes(), chunks_[f].data() + first * schema_[f].row_bytes());
  }

  void close() override {
    for (std::size_t f = 0; f < files_.size(); ++f)
      chunks_[f] = h5::codecs::encode_blosc(by_.within, by_.level, size_of(schema_[f].dtype), chunks_[f]);
  }

  void finish() override {
    for (std::size_t f = 0; f < files_.size(); ++f) {
      const auto part = formats::part_of(files_[f]);
      const ipc::Fd file(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
      if (!file) throw formats::WriteFailed(errno_text("cannot write " + part, errno));
      formats::write_at(file.get(), part, chunks_[f], 0);
      formats::sync_file(file.get(), part);
      fs::rename(part, files_[f]);
    }
  }

 private:
  const Schema& schema_;
  const std::vector<std::string> files_;
  const formats::ZarrCompressor by_;
  std::vector<std::vector<std::byte>> chunks_;  // of each field; pieces fill parts of their own; then compressed
};

/// Levels of zstd as Blosc counts them: 1, 3, 5, ... 15 of zstd, and its last.
formats::ZarrCompressor compressor_of(const config::Compression& compression) {
  using How = config::Compression::How;
  constexpr int usual = 5, most = 9;
  if (compression.how == How::gzip) return {"zlib", compression.level};
  if (compression.how == How::lz4) return {"lz4", usual};
  if (compression.how == How::zstd) return {"zstd", std::min(compression.level / 2 + 1, most)};
  return {};
}

void require_own_files(const Schema& schema) {
  std::map<std::string, std::string> fields;
  for (const auto& field : schema)
    if (const auto [other, is_new] = fields.emplace(npy_name(field.name), field.name); !is_new)
      throw UsageError(fmt::format("the fields '{}' and '{}' would both be written as {}_0001.npy; rename one of them",
                                   other->second, field.name, other->first));
}

/// A field is a folder of Zarr's: within the export, and within no other array.
void require_own_folders(const Schema& schema) {
  std::set<std::string> names;
  for (const auto& field : schema) names.insert(field.name);
  for (const auto& name : names) {
    for (std::size_t from = 0; from <= name.size();) {
      const auto end = std::min(name.find('/', from), name.size());
      const auto part = name.substr(from, end - from);
      if (part.empty() || part == "." || part == ".." || part.starts_with(".z") || name == "metadata.json")
        throw UsageError(
            fmt::format("[field.{}] an array of Zarr cannot be called '{}' (it is a folder in that of the "
                        "export, and '{}' is none); rename the field",
                        name, name, part));
      if (end < name.size() && names.count(name.substr(0, end)) != 0)
        throw UsageError(fmt::format("'{}' would be an array of Zarr and, for '{}', a group; rename one of the fields",
                                     name.substr(0, end), name));
      from = end + 1;
    }
  }
}

class Arrays : public Format {
 public:
  Arrays(const config::OutputConfig& config, const Schema& schema, std::string folder, std::uint64_t samples)
      : schema_(schema),
        folder_(std::move(folder)),
        samples_(samples),
        chunk_(std::min(config.exported.chunk_size, samples)),
        shards_(shards_of(samples, config.exported.chunk_size)) {
    for (const auto& field : schema_) formats::numpy_type(field);  // says so now if there is none
  }

  std::uint64_t row_bytes() const override { return headrace::row_bytes(schema_); }

  std::vector<std::string> files_of(std::uint64_t number) const override {
    std::vector<std::string> files;
    for (const auto& field : schema_) files.push_back(path_of(field, number));
    return files;
  }

  void describe(nlohmann::ordered_json& metadata) const override {
    auto& told = metadata["fields"] = nlohmann::ordered_json::object();
    for (const auto& field : schema_) {
      auto& one = told[field.name];
      one["dtype"] = name_of(field.dtype);
      one["shape"] = field.shape;
      if (!field.classes.empty()) one["classes"] = field.classes;
      if (!field.columns.empty()) one["columns"] = field.columns;
    }
  }

 protected:
  virtual std::string path_of(const Field& field, std::uint64_t number) const = 0;

  const Schema& schema_;
  const std::string folder_;
  const std::uint64_t samples_, chunk_, shards_;
};

class Npy : public Arrays {
 public:
  Npy(const config::OutputConfig& config, const Schema& schema, std::string folder, std::uint64_t samples)
      : Arrays(config, schema, std::move(folder), samples) {
    require_own_files(schema);
  }

  std::unique_ptr<Shard> shard(std::uint64_t number, std::uint64_t, std::uint64_t rows) const override {
    std::vector<ArrayFile> files;
    for (const auto& field : schema_) files.push_back({path_of(field, number), formats::npy_head(field, rows), rows});
    return std::make_unique<ArrayShard>(schema_, std::move(files));
  }

 private:
  std::string path_of(const Field& field, std::uint64_t number) const override {
    return (fs::path(folder_) / fmt::format("{}_{}.npy", npy_name(field.name), number_text(number, shards_))).string();
  }
};

class Zarr : public Arrays {
 public:
  Zarr(const config::OutputConfig& config, const Schema& schema, std::string folder, std::uint64_t samples)
      : Arrays(config, schema, std::move(folder), samples), by_(compressor_of(config.exported.compression)) {
    require_own_folders(schema);
    for (const auto& field : schema)
      if (!by_.within.empty() && chunk_ * field.row_bytes() > h5::codecs::most_blosc_bytes)
        throw UsageError(
            fmt::format("a chunk of '{}' would have {} (compressed ones have less than 2 GiB); lower "
                        "chunk-size, which is {} samples",
                        field.name, format_bytes(static_cast<double>(chunk_ * field.row_bytes())), chunk_));
  }

  std::unique_ptr<Shard> shard(std::uint64_t number, std::uint64_t, std::uint64_t) const override {
    if (!by_.within.empty()) {
      for (const auto& field : schema_) fs::create_directories(fs::path(folder_) / field.name);
      return std::make_unique<CompressedShard>(schema_, files_of(number), chunk_, by_);
    }
    std::vector<ArrayFile> files;
    for (const auto& field : schema_) {
      fs::create_directories(fs::path(folder_) / field.name);
      files.push_back({path_of(field, number), "", chunk_});
    }
    return std::make_unique<ArrayShard>(schema_, std::move(files));
  }

  std::vector<std::pair<std::string, std::string>> other_files() const override {
    const std::string group = nlohmann::json{{"zarr_format", 2}}.dump() + "\n";
    std::vector<std::pair<std::string, std::string>> files{{".zgroup", group}};
    const auto add = [&](const std::string& path, const std::string& text) {
      if (std::none_of(files.begin(), files.end(), [&](const auto& file) { return file.first == path; }))
        files.emplace_back(path, text);
    };
    for (const auto& field : schema_) {
      for (auto slash = field.name.find('/'); slash != std::string::npos; slash = field.name.find('/', slash + 1))
        add(field.name.substr(0, slash) + "/.zgroup", group);
      add(field.name + "/.zarray", formats::zarr_array(field, samples_, chunk_, by_));
      add(field.name + "/.zattrs", formats::zarr_attributes(field));
    }
    nlohmann::json all{{"zarr_consolidated_format", 1}, {"metadata", nlohmann::json::object()}};
    for (const auto& [path, text] : files) all["metadata"][path] = nlohmann::json::parse(text);
    files.emplace_back(".zmetadata", all.dump(1) + "\n");
    return files;
  }

 private:
  std::string path_of(const Field& field, std::uint64_t number) const override {
    return (fs::path(folder_) / field.name / formats::zarr_chunk(field, number)).string();
  }

  const formats::ZarrCompressor by_;
};

}  // namespace

std::string npy_name(const std::string& field) {
  auto name = field;
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

std::unique_ptr<Format> make_npy(const config::OutputConfig& config, const Schema& schema, const std::string& folder,
                                 std::uint64_t samples) {
  return std::make_unique<Npy>(config, schema, folder, samples);
}

std::unique_ptr<Format> make_zarr(const config::OutputConfig& config, const Schema& schema, const std::string& folder,
                                  std::uint64_t samples) {
  return std::make_unique<Zarr>(config, schema, folder, samples);
}

}  // namespace headrace::commands::exporting
