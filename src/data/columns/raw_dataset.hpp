// What fields are resolved against: the datasets of the files, as their raw rows stand in memory. Plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/dtype.hpp"
#include "base/whole.hpp"
#include "h5/types.hpp"

namespace headrace::data::columns {

/// A number of an attribute, and the type that it has there (which decides the type of decoded values).
struct AttributeNumber {
  double value = 0;
  DType dtype = DType::float64;
  bool operator==(const AttributeNumber&) const = default;
};

/// NetCDF's attributes of a dataset, as far as they are there.
struct CfAttributes {
  std::optional<AttributeNumber> scale_factor, add_offset;
  std::vector<double> fill_values;   ///< _FillValue, and all of missing_value; NaN among them does no harm
  std::optional<bool> is_unsigned;   ///< _Unsigned
  std::vector<Whole> whole_fills{};  ///< those that no double is: integers of 64 bits, beyond 2^53; none of fill_values
  bool conventions = false;  ///< the file names a convention that means such attributes, or another file of the data
                             ///< set says so of this dataset
  bool netcdf = false;       ///< the file's root has _NCProperties: the NetCDF library wrote it
  bool plain = false;        ///< no convention is named at all, and the attributes can mean nothing else
  std::string named{};       ///< Conventions of the file, as they stand there
  std::string odd{};         ///< such an attribute that says nothing, as it is no single number: its name
  /// What the file says must be done to the values; the marks of the file itself are none of it.
  bool any() const { return scale_factor || add_offset || !fill_values.empty() || !whole_fills.empty() || is_unsigned; }
  bool operator==(const CfAttributes&) const = default;
};

/// The type of a dataset in one file; none: the file has no such dataset.
struct TypeInFile {
  std::string file;
  std::optional<h5::TypeInfo> type;
  bool operator==(const TypeInFile&) const = default;
};

struct RawDataset {
  std::string path;                        ///< without the leading slash
  h5::TypeInfo type;                       ///< of an element, in the first file that has it; sizes are those in memory
  std::vector<std::uint64_t> row_shape;    ///< without the sample axis (of a joined table: without its row axis)
  CfAttributes cf{};                       ///< of the first file
  std::vector<CfAttributes> cf_of_file{};  ///< of each file, where they say different things; else empty
  std::vector<std::string> classes{};  ///< an attribute that names the labels 0, 1, 2, ... (of texts: is their list)
  std::string labelled_otherwise{};    ///< a file whose attributes name the labels otherwise; "": none
  std::vector<TypeInFile> type_in_file{};  ///< in each file, where it is not the same in all; else empty
};

/// All datasets that a field may use, by path. Looking one up takes the time of a tree's height: files may hold 50,000.
class RawDatasets {
 public:
  /// Under its path, which no other has. The reference stays good.
  RawDataset& add(RawDataset dataset) {
    auto path = dataset.path;
    return all_.insert_or_assign(std::move(path), std::move(dataset)).first->second;
  }
  void remove(const std::string& path) { all_.erase(path); }
  /// Who asks for a path in vain hears what it says of it; "": nothing.
  void explain_missing(std::function<std::string(const std::string& path)> why) { why_missing_ = std::move(why); }
  std::string why_missing(const std::string& path) const { return why_missing_ ? why_missing_(path) : ""; }
  /// Other names: what find() looks for where a path is none.
  void other_names(std::function<std::string(const std::string& path)> name) { listed_as_ = std::move(name); }

  RawDataset* find(const std::string& path) {
    auto at = all_.find(path);
    if (at == all_.end() && listed_as_) at = all_.find(listed_as_(path));
    return at == all_.end() ? nullptr : &at->second;
  }
  const RawDataset* find(const std::string& path) const { return const_cast<RawDatasets*>(this)->find(path); }
  template <class F>
  void for_each(F&& f) {
    for (auto& [path, dataset] : all_) f(dataset);
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> names;
    for (const auto& [path, dataset] : all_) names.push_back(path);
    return names;
  }

 private:
  std::map<std::string, RawDataset> all_;
  std::function<std::string(const std::string&)> why_missing_, listed_as_;
};

}  // namespace headrace::data::columns
