#include "service/raw_contents.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace headrace::service {

namespace {

std::vector<std::uint64_t> row_shape(const h5::DatasetInfo& dataset) {
  return {dataset.dims.begin() + 1, dataset.dims.end()};
}

std::optional<AttributeNumber> number_of(const h5::DatasetInfo& dataset, const char* key) {
  const auto* attribute = dataset.attribute(key);
  if (attribute == nullptr || attribute->numbers.empty()) return std::nullopt;
  const auto element = reader::element_of(attribute->type);
  return AttributeNumber{attribute->numbers[0], element ? element->dtype : DType::float64};
}

RawDataset raw_dataset(const reader::FileContents& file, const h5::DatasetInfo& dataset, const std::string& name) {
  RawDataset raw{name, dataset.type, row_shape(dataset), {}, {}};
  raw.cf.scale_factor = number_of(dataset, "scale_factor");
  raw.cf.add_offset = number_of(dataset, "add_offset");
  for (const auto* key : {"_FillValue", "missing_value"})
    if (const auto* attribute = dataset.attribute(key))
      raw.cf.fill_values.insert(raw.cf.fill_values.end(), attribute->numbers.begin(), attribute->numbers.end());
  if (const auto* attribute = dataset.attribute("_Unsigned"); attribute != nullptr && !attribute->texts.empty())
    raw.cf.is_unsigned = attribute->texts[0] == "true" || attribute->texts[0] == "True";
  raw.cf.conventions = file.conventions;
  raw.cf.netcdf = file.netcdf;
  // Whoever writes labels as numbers often says in an attribute what they mean.
  for (const auto* key : {"label_classes", "classes", "class_names", "labels"})
    if (const auto* attribute = dataset.attribute(key); attribute != nullptr && attribute->texts.size() > 1)
      raw.classes = attribute->texts;
  return raw;
}

/// What keeps the dataset of this file from being one with those before it; "" if nothing does.
std::string trouble(const h5::DatasetInfo& dataset, const RawDataset* before, const std::string& file) {
  if (!dataset.problem.empty()) return "it cannot be opened in '" + file + "': " + dataset.problem;
  if (dataset.dims.empty()) return "it has no axis of samples in '" + file + "'";
  if (!before) return "";
  if (before->row_shape != row_shape(dataset))
    return "its rows have another shape in '" + file + "', " + h5::shape_text(row_shape(dataset)) + " instead of " +
           h5::shape_text(before->row_shape);
  return "";
}

/// Whether the same is done to the values of both. Fill values may be NaN.
bool packed_alike(const CfAttributes& a, const CfAttributes& b) {
  const auto same_fill = [](double x, double y) { return x == y || (x != x && y != y); };
  const bool fills =
      std::equal(a.fill_values.begin(), a.fill_values.end(), b.fill_values.begin(), b.fill_values.end(), same_fill);
  const bool marks = !a.any() || (a.conventions || a.netcdf) == (b.conventions || b.netcdf);
  return fills && marks && a.scale_factor == b.scale_factor && a.add_offset == b.add_offset &&
         a.is_unsigned == b.is_unsigned;
}

/// Notes where the attributes of a later file are not those of the first.
void compare(RawDataset& first, const RawDataset& other, const reader::Contents& contents, std::size_t file) {
  if (first.cf_of_file.empty() && !packed_alike(first.cf, other.cf)) first.cf_of_file.assign(contents.size(), first.cf);
  if (!first.cf_of_file.empty()) first.cf_of_file[file] = other.cf;
  if (first.labelled_otherwise.empty() && first.classes != other.classes)
    first.labelled_otherwise = contents[file].path;
}

/// Notes in which files each dataset is, and of which type, for those where that is not the same everywhere.
class TypesInFiles {
 public:
  explicit TypesInFiles(const reader::Contents& contents) : contents_(contents) {}

  void note(RawDataset& raw, const h5::TypeInfo& type, std::size_t file) {
    auto& [first, seen] = runs_.try_emplace(raw.path, file, 0).first->second;
    if (raw.type_in_file.empty() && (first + seen != file || first > 0 || type != raw.type)) tell(raw, first, seen);
    if (!raw.type_in_file.empty()) raw.type_in_file[file].type = type;
    ++seen;
  }
  /// Once all files are known.
  void finish(RawDataset& raw) const {
    const auto& [first, seen] = runs_.at(raw.path);
    if (raw.type_in_file.empty() && first + seen != contents_.size()) tell(raw, first, seen);
  }

 private:
  void tell(RawDataset& raw, std::size_t first, std::size_t seen) const {
    for (std::size_t f = 0; f < contents_.size(); ++f)
      raw.type_in_file.push_back(
          {contents_[f].path, f >= first && f < first + seen ? std::optional(raw.type) : std::nullopt});
  }

  const reader::Contents& contents_;
  std::map<std::string, std::pair<std::size_t, std::size_t>> runs_;  // the first file, and how many from there on
};

}  // namespace

RawDatasets raw_datasets(const reader::Contents& contents, std::vector<reader::LeftOut>* left_out) {
  RawDatasets raw;
  std::vector<std::string> wrong;
  TypesInFiles types(contents);
  for (std::size_t f = 0; f < contents.size(); ++f)
    for (const auto& file = contents[f]; const auto& dataset : file.datasets) {
      auto names = dataset.aliases;
      names.insert(names.begin(), dataset.path);
      for (const auto& name : names) {
        if (std::find(wrong.begin(), wrong.end(), name) != wrong.end()) continue;
        const auto* before = raw.find(name);
        if (const auto why = trouble(dataset, before, file.path); !why.empty()) {
          wrong.push_back(name);
          if (left_out != nullptr) left_out->push_back({name, why});
        } else if (!before) {
          raw.all.push_back(raw_dataset(file, dataset, name));
          types.note(raw.all.back(), dataset.type, f);
        } else {
          auto& first = raw.all[static_cast<std::size_t>(before - raw.all.data())];
          compare(first, raw_dataset(file, dataset, name), contents, f);
          types.note(first, dataset.type, f);
        }
      }
    }
  std::erase_if(raw.all, [&](const RawDataset& dataset) {
    return std::find(wrong.begin(), wrong.end(), dataset.path) != wrong.end();
  });
  for (auto& dataset : raw.all) types.finish(dataset);
  return raw;
}

}  // namespace headrace::service
