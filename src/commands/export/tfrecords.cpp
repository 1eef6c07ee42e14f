#include "commands/export/tfrecords.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "base/mutex.hpp"
#include "commands/export/features.hpp"
#include "formats/contiguous.hpp"
#include "formats/tfrecord.hpp"
#include "ipc/fd.hpp"

namespace headrace::commands::exporting {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> first_of(const std::vector<std::string>& names, std::uint64_t count) {
  return {names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(count, names.size()))};
}

/// One file. Pieces have sizes that nobody knows before: each is appended once all before it are.
class RecordFile : public Shard {
 public:
  RecordFile(const Features& features, const formats::ExampleEncoder& encoder, const Schema& schema, std::string path,
             std::uint64_t first_row)
      : features_(features),
        encoder_(encoder),
        schema_(schema),
        path_(std::move(path)),
        part_(formats::part_of(path_)),
        first_row_(first_row),
        file_(::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    if (!file_) throw formats::WriteFailed(errno_text("cannot write " + part_, errno));
  }

  void write(std::uint64_t part, std::uint64_t first, std::size_t rows,
             std::span<const std::byte* const> fields) override {
    thread_local std::vector<std::vector<std::byte>> made;  // both kept: fresh memory costs as much as encoding
    thread_local std::vector<std::byte> memory;
    made.resize(features_.tables.size());
    std::vector<const std::byte*> values;
    for (std::size_t t = 0; t < made.size(); ++t) {
      const auto& table = features_.tables[t];
      const auto* from = fields[table.parts[0].field];
      if (!table.is_copy()) {
        made[t].resize(rows * table.dataset.row_bytes());
        formats::assemble(table, schema_, first_row_ + first, rows, fields, made[t].data());
        from = made[t].data();
      }
      values.push_back(from);
    }
    append(part, encoder_.encode(rows, values, memory));
  }

  void finish() override {
    const Lock lock(mutex_);
    formats::sync_file(file_.get(), part_);
    file_ = ipc::Fd();
    fs::rename(part_, path_);
  }

 private:
  void append(std::uint64_t part, std::span<const std::byte> records) EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    if (part != next_) {
      waiting_.emplace(part, std::vector(records.begin(), records.end()));
      return;
    }
    add(records);
    for (auto next = waiting_.find(next_); next != waiting_.end(); next = waiting_.find(next_)) {
      add(next->second);
      waiting_.erase(next);
    }
  }

  void add(std::span<const std::byte> records) REQUIRES(mutex_) {
    formats::write_at(file_.get(), part_, records, written_);
    written_ += records.size();
    ++next_;
  }

  const Features& features_;
  const formats::ExampleEncoder& encoder_;
  const Schema& schema_;
  const std::string path_, part_;
  const std::uint64_t first_row_;
  Mutex mutex_;
  ipc::Fd file_ GUARDED_BY(mutex_);
  std::map<std::uint64_t, std::vector<std::byte>> waiting_ GUARDED_BY(mutex_);
  std::uint64_t next_ GUARDED_BY(mutex_) = 0, written_ GUARDED_BY(mutex_) = 0;
};

class TfRecords : public Format {
 public:
  TfRecords(const config::OutputConfig& config, const Schema& schema, std::string folder, std::uint64_t samples)
      : config_(config),
        schema_(schema),
        folder_(std::move(folder)),
        shards_(shards_of(samples, config.exported.chunk_size)),
        features_(features_of(config, schema)),
        encoder_(features_.features) {}

  std::unique_ptr<Shard> shard(std::uint64_t number, std::uint64_t first_row, std::uint64_t) const override {
    return std::make_unique<RecordFile>(features_, encoder_, schema_, path_of(number), first_row);
  }

  std::vector<std::string> files_of(std::uint64_t number) const override { return {path_of(number)}; }

  std::uint64_t row_bytes() const override {
    std::uint64_t bytes = 16;
    for (const auto& feature : features_.features)
      bytes += feature.name.size() + 16 + feature.count * (feature.kind == formats::Feature::Kind::floats ? 4 : 1);
    return bytes;
  }

  void describe(nlohmann::ordered_json& metadata) const override {
    if (config_.exported.names == config::FeatureNames::umami) describe_umami(config_, schema_, features_, metadata);
    auto& told = metadata["features"] = nlohmann::ordered_json::object();
    for (std::size_t f = 0; f < features_.features.size(); ++f) {
      const auto& feature = features_.features[f];
      const auto& part = features_.tables[f].parts[0];
      const auto& field = schema_[part.field];
      const bool whole = feature.count == field.elements();
      auto& one = told[feature.name];
      one["type"] = feature.kind == formats::Feature::Kind::floats ? "float" : "int64";
      one["count"] = feature.count;
      one["shape"] = whole ? field.shape : std::vector<std::uint64_t>{feature.count};
      one["dtype"] = name_of(part.how == formats::How::one ? part.to : field.dtype);
      if (part.how == formats::How::one) continue;  // nothing of the field is in it
      if (!field.classes.empty()) one["classes"] = field.classes;
      if (!field.columns.empty()) one["columns"] = whole ? field.columns : first_of(field.columns, feature.count);
    }
  }

 private:
  std::string path_of(std::uint64_t number) const {
    auto name = fs::path(folder_).lexically_normal();
    if (!name.has_filename()) name = name.parent_path();
    return (fs::path(folder_) /
            fmt::format("{}_{}.tfrecord", fs::absolute(name).filename().string(), number_text(number, shards_)))
        .string();
  }

  const config::OutputConfig& config_;
  const Schema& schema_;
  const std::string folder_;
  const std::uint64_t shards_;
  const Features features_;
  const formats::ExampleEncoder encoder_;
};

}  // namespace

std::unique_ptr<Format> make_tfrecords(const config::OutputConfig& config, const Schema& schema,
                                       const std::string& folder, std::uint64_t samples) {
  return std::make_unique<TfRecords>(config, schema, folder, samples);
}

}  // namespace headrace::commands::exporting
