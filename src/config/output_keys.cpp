// The keys of [premix] and [export]: files that are written.
#include <algorithm>
#include <charconv>

#include "config/keys.hpp"

namespace headrace::config {

namespace {

using O = Outputs&;
using How = Compression::How;
constexpr auto output = Scope::output;

struct Levels {
  How how;
  int least, most, usual;
};

/// none | gzip:N | lzf | lz4 | zstd:N
Compression compression(const Value& value) {
  constexpr auto allowed = "none, lzf, lz4, gzip:1 to gzip:9 or zstd:1 to zstd:19";
  const auto& text = value.text();
  const auto colon = std::min(text.find(':'), text.size());
  const auto name = text.substr(0, colon);
  for (const auto& [how, least, most, usual] :
       {Levels{How::none, 0, 0, 0}, Levels{How::lzf, 0, 0, 0}, Levels{How::lz4, 0, 0, 0}, Levels{How::gzip, 1, 9, 4},
        Levels{How::zstd, 1, 19, 3}}) {
    Compression found{how, usual};
    if (text_of({how, 0}) != name) continue;
    if (colon == text.size()) return found;
    const auto* end = text.data() + text.size();
    const auto [rest, status] = std::from_chars(text.data() + colon + 1, end, found.level);
    if (status != std::errc{} || rest != end || found.level < least || found.level > most || most == 0)
      reject(value, allowed);
    return found;
  }
  reject(value, allowed);
}

std::vector<std::pair<std::string, std::string>> datasets(const Value& value) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& text : value.texts) {
    const auto equal = text.find('=');
    if (equal == std::string::npos || equal == 0 || equal + 1 == text.size())
      reject(value, "a dataset and the field that goes there: jets/inputs=jets");
    auto path = text.substr(0, equal);
    while (path.size() > 1 && path.front() == '/') path.erase(0, 1);
    for (const auto& [other, field] : all)
      if (other == path) throw UsageError(value.shown + " names the dataset '" + path + "' twice; name it once");
    all.emplace_back(std::move(path), text.substr(equal + 1));
  }
  return all;
}

std::vector<Key> premix_keys() {
  return {
      {"premix.file", output, Kind::text, "Premix", 0, "FILE", "", "where premix writes",
       +[](O c, const Value& v) { c.premix.file = v.text(); }, true},
      {"premix.layout", output, Kind::choice, "Premix", 0, "HOW", "plain",
       "datasets as fields are called, or umami, ftag",
       +[](O c, const Value& v) {
         c.premix.layout = choose(v, {FileLayout::plain, FileLayout::umami, FileLayout::ftag});
       }},
      {"premix.dataset", output, Kind::pairs, "Premix", 0, "PATH=FIELD", "a field's own name",
       "which dataset a field becomes", +[](O c, const Value& v) { c.premix.datasets = datasets(v); }},
      {"premix.compression", output, Kind::text, "Premix", 0, "HOW", "none", "none, gzip:N, lzf, lz4 or zstd:N",
       +[](O c, const Value& v) { c.premix.compression = compression(v); }},
      {"premix.chunk", output, Kind::size, "Premix", 0, "SIZE", "1MiB", "of compressed datasets, before compression",
       +[](O c, const Value& v) {
         c.premix.chunk = bytes(v);
         if (c.premix.chunk < 1 || c.premix.chunk > (std::uint64_t{1} << 31)) reject(v, "a size of 1 B to 2 GiB");
       }},
      {"premix.file-samples", output, Kind::number, "Premix", 0, "N", "0: one file",
       "samples of each of several files, which a virtual file joins",
       +[](O c, const Value& v) { c.premix.file_samples = whole(v, 0); }},
      {"premix.provenance", output, Kind::toggle, "Premix", 0, "", "false", "also write file and row of each sample",
       +[](O c, const Value& v) { c.premix.provenance = yes(v); }},
  };
}

std::vector<Key> export_keys() {
  return {
      {"export.format", output, Kind::choice, "Export", 0, "HOW", "tfrecord", "tfrecord, npy or zarr",
       +[](O c, const Value& v) {
         c.exported.format = choose(v, {ExportFormat::tfrecord, ExportFormat::npy, ExportFormat::zarr});
       }},
      {"export.chunk-size", output, Kind::number, "Export", 0, "N", "5000", "samples of a file",
       +[](O c, const Value& v) { c.exported.chunk_size = whole(v, 1, std::uint64_t{1} << 32); }},
      {"export.compression", output, Kind::text, "Export", 0, "HOW", "none",
       "of Zarr's chunks: none, gzip:N, lz4 or zstd:N",
       +[](O c, const Value& v) {
         c.exported.compression = compression(v);
         if (c.exported.compression.how == How::lzf) reject(v, "none, lz4, gzip:1 to gzip:9 or zstd:1 to zstd:19");
       }},
      {"export.add-vars", output, Kind::number, "Export", 0, "N", "0",
       "columns of X_jets that are written again, as X_Add_Vars",
       +[](O c, const Value& v) { c.exported.add_vars = whole(v, 0, std::uint64_t{1} << 32); }},
      {"export.names", output, Kind::choice, "Export", 0, "HOW", "fields", "features named as the fields, or umami",
       +[](O c, const Value& v) {
         c.exported.names = choose(v, {FeatureNames::fields, FeatureNames::umami});
       }},
  };
}

}  // namespace

std::vector<Key> output_keys() {
  auto all = premix_keys();
  for (auto& key : export_keys()) all.push_back(key);
  return all;
}

}  // namespace headrace::config
