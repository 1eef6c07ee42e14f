#include "data/fields/raw_contents.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "catalog/conventions.hpp"
#include "catalog/grouping.hpp"
#include "data/fields/cf.hpp"

namespace headrace::data::fields {

namespace {

std::vector<std::uint64_t> row_shape(const h5::DatasetInfo& dataset) {
  return {dataset.dims.begin() + 1, dataset.dims.end()};
}

std::optional<columns::AttributeNumber> number_of(const h5::DatasetInfo& dataset, const char* key) {
  const auto* attribute = dataset.attribute(key);
  if (attribute == nullptr || attribute->numbers.size() != 1) return std::nullopt;
  const auto element = catalog::element_of(attribute->type);
  return columns::AttributeNumber{attribute->numbers[0], element ? element->dtype : DType::float64};
}

/// Whether the attributes of a dataset say by themselves that they are NetCDF's: people give numbers of their own such
/// names as scale_factor, too, but pack no integers with them; names with an underscore are NetCDF's alone.
bool says_so(const h5::DatasetInfo& dataset, const columns::CfAttributes& cf) {
  const auto* fill = dataset.attribute("_FillValue");
  const bool own_fill = fill != nullptr && !fill->numbers.empty() && fill->type == dataset.type;
  const bool integer = dataset.type.kind == h5::Kind::integer;
  return (integer && (cf.scale_factor || cf.add_offset)) || own_fill || cf.is_unsigned;
}

void add_fills(const h5::Attribute& attribute, columns::CfAttributes& cf) {
  constexpr double exact = 0x1p53;
  for (std::size_t i = 0; i < attribute.numbers.size(); ++i)
    if (attribute.wholes.empty() || std::abs(attribute.numbers[i]) < exact)
      cf.fill_values.push_back(attribute.numbers[i]);
    else
      cf.whole_fills.push_back(attribute.wholes[i]);
}

columns::RawDataset raw_dataset(const catalog::FileContents& file, const h5::DatasetInfo& dataset,
                                const std::string& name) {
  columns::RawDataset raw{name, dataset.type, row_shape(dataset), {}, {}};
  raw.cf.scale_factor = number_of(dataset, "scale_factor");
  raw.cf.add_offset = number_of(dataset, "add_offset");
  for (const auto* key : {"_FillValue", "missing_value"})
    if (const auto* attribute = dataset.attribute(key)) add_fills(*attribute, raw.cf);
  if (const auto* attribute = dataset.attribute("_Unsigned"); attribute != nullptr && !attribute->texts.empty())
    raw.cf.is_unsigned = attribute->texts[0] == "true" || attribute->texts[0] == "True";
  for (const auto* key : {"scale_factor", "add_offset"})
    if (dataset.attribute(key) != nullptr && !number_of(dataset, key)) raw.cf.odd = key;
  raw.cf.named = file.conventions;
  raw.cf.conventions = catalog::implies_packing(file.conventions);
  raw.cf.netcdf = file.netcdf;
  raw.cf.plain = file.conventions.empty() && says_so(dataset, raw.cf);
  // Whoever writes labels as numbers often says in an attribute what they mean.
  for (const auto* key : {"label_classes", "classes", "class_names", "labels"})
    if (const auto* attribute = dataset.attribute(key); attribute != nullptr && attribute->texts.size() > 1)
      raw.classes = attribute->texts;
  return raw;
}

/// What keeps the dataset of this file from being one with those before it; "" if nothing does.
std::string trouble(const h5::DatasetInfo& dataset, const columns::RawDataset* before, const std::string& file) {
  if (!dataset.problem.empty()) return "it cannot be opened in '" + file + "': " + dataset.problem;
  if (dataset.dims.empty()) return "it has no axis of samples in '" + file + "'";
  if (!before) return "";
  if (before->row_shape != row_shape(dataset))
    return "its rows have another shape in '" + file + "', " + h5::shape_text(row_shape(dataset)) + " instead of " +
           h5::shape_text(before->row_shape);
  return "";
}

/// Whether the same is done to the values of both. Fill values may be NaN.
bool packed_alike(const columns::CfAttributes& a, const columns::CfAttributes& b) {
  const auto same_fill = [](double x, double y) { return x == y || (x != x && y != y); };
  const bool fills =
      std::equal(a.fill_values.begin(), a.fill_values.end(), b.fill_values.begin(), b.fill_values.end(), same_fill);
  const bool marks = !a.any() || decodes_cf(a, config::CfMode::automatic) == decodes_cf(b, config::CfMode::automatic);
  return fills && a.whole_fills == b.whole_fills && marks && a.scale_factor == b.scale_factor &&
         a.add_offset == b.add_offset && a.is_unsigned == b.is_unsigned;
}

/// Notes where the attributes of a later file are not those of the first.
void compare(columns::RawDataset& first, const columns::RawDataset& other, const catalog::Contents& contents,
             std::size_t file) {
  if (first.cf_of_file.empty() && !packed_alike(first.cf, other.cf)) first.cf_of_file.assign(contents.size(), first.cf);
  if (!first.cf_of_file.empty()) first.cf_of_file[file] = other.cf;
  if (first.labelled_otherwise.empty() && first.classes != other.classes)
    first.labelled_otherwise = contents[file].path;
}

/// Notes in which files each dataset is, and of which type, for those where that is not the same everywhere.
class TypesInFiles {
 public:
  explicit TypesInFiles(const catalog::Contents& contents) : contents_(contents) {}

  void note(columns::RawDataset& raw, const h5::TypeInfo& type, std::size_t file) {
    auto& [first, seen] = runs_.try_emplace(raw.path, file, 0).first->second;
    if (raw.type_in_file.empty() && (first + seen != file || first > 0 || type != raw.type)) tell(raw, first, seen);
    if (!raw.type_in_file.empty()) raw.type_in_file[file].type = type;
    ++seen;
  }
  /// Once all files are known.
  void finish(columns::RawDataset& raw) const {
    const auto& [first, seen] = runs_.at(raw.path);
    if (raw.type_in_file.empty() && first + seen != contents_.size()) tell(raw, first, seen);
  }

 private:
  void tell(columns::RawDataset& raw, std::size_t first, std::size_t seen) const {
    for (std::size_t f = 0; f < contents_.size(); ++f)
      raw.type_in_file.push_back(
          {contents_[f].path, f >= first && f < first + seen ? std::optional(raw.type) : std::nullopt});
  }

  const catalog::Contents& contents_;
  std::map<std::string, std::pair<std::size_t, std::size_t>> runs_;  // the first file, and how many from there on
};

/// The first file where another name of a group makes something else of the path than in the first of all.
const catalog::FileContents* leads_elsewhere(const catalog::Contents& contents, const std::string& path) {
  const auto first = h5::through_groups(contents[0].groups, path);
  for (const auto& file : contents)
    if (h5::through_groups(file.groups, path) != first) return &file;
  return nullptr;
}

std::string why_missing(const catalog::Contents& contents, const std::string& path) {
  if (auto dead = catalog::dead_link(contents, path); !dead.empty()) return dead;
  const auto* other = leads_elsewhere(contents, path);
  if (other == nullptr) return "";
  return "in " + contents[0].path + " it is '" + h5::through_groups(contents[0].groups, path) + "', in " + other->path +
         " '" + h5::through_groups(other->groups, path) + "'";
}

/// Files of one data set mean the same: where one says that attributes pack its values, those of the others do, too.
void agree_on_packing(columns::RawDataset& dataset) {
  const auto decoded = [](const columns::CfAttributes& cf) {
    return cf.any() && decodes_cf(cf, config::CfMode::automatic);
  };
  if (std::any_of(dataset.cf_of_file.begin(), dataset.cf_of_file.end(), decoded))
    for (auto& cf : dataset.cf_of_file) cf.conventions = true;
}

}  // namespace

columns::RawDatasets raw_datasets(const catalog::Contents& contents, std::vector<catalog::LeftOut>* left_out) {
  columns::RawDatasets raw;
  std::set<std::string> wrong;
  TypesInFiles types(contents);
  for (std::size_t f = 0; f < contents.size(); ++f)
    for (const auto& file = contents[f]; const auto& dataset : file.datasets) {
      auto names = dataset.aliases;
      names.insert(names.begin(), dataset.path);
      for (const auto& name : names) {
        if (wrong.count(name) != 0) continue;
        auto* before = raw.find(name);
        if (const auto why = trouble(dataset, before, file.path); !why.empty()) {
          wrong.insert(name);
          if (left_out != nullptr) left_out->push_back({name, why});
        } else if (before == nullptr) {
          types.note(raw.add(raw_dataset(file, dataset, name)), dataset.type, f);
        } else {
          compare(*before, raw_dataset(file, dataset, name), contents, f);
          types.note(*before, dataset.type, f);
        }
      }
    }
  for (const auto& name : wrong) raw.remove(name);
  raw.for_each([&](columns::RawDataset& dataset) {
    types.finish(dataset);
    agree_on_packing(dataset);
  });
  raw.explain_missing([&contents](const std::string& path) { return why_missing(contents, path); });
  raw.other_names([&contents](const std::string& path) {
    return leads_elsewhere(contents, path) == nullptr ? h5::through_groups(contents[0].groups, path) : path;
  });
  return raw;
}

}  // namespace headrace::data::fields
