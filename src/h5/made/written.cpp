#include "h5/made/written.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "h5/error.hpp"
#include "h5/file.hpp"

namespace headrace::h5 {

namespace {

/// The rows of an open dataset, for a memory of so many rows.
std::vector<hsize_t> dims_of(const Dataset& dataset) {
  const Space space(check(H5Dget_space(dataset.id()), "H5Dget_space"));
  std::vector<hsize_t> dims(static_cast<std::size_t>(check(H5Sget_simple_extent_ndims(space.id()), "H5Sget")));
  if (!dims.empty()) check(H5Sget_simple_extent_dims(space.id(), dims.data(), nullptr), "H5Sget_simple_extent_dims");
  return dims;
}

/// The attribute of the root, opened; nothing where it is not there.
std::optional<AttributeId> attribute_of(const File& file, const std::string& name) {
  if (H5Aexists(file.id(), name.c_str()) <= 0) return std::nullopt;
  return AttributeId(check(H5Aopen(file.id(), name.c_str(), H5P_DEFAULT), "H5Aopen"));
}

}  // namespace

WrittenFile::WrittenFile(const std::string& path) : path_(path), file_(open_file(path)) {
  const auto list = text("datasets");
  if (!list) throw Error(fmt::format("{} has no checksums (premix and pack write them)", path));
  for (std::size_t from = 0, end = 0; from < list->size(); from = end + 1) {
    end = std::min(list->find('\n', from), list->size());
    names_.push_back(list->substr(from, end - from));
  }
  if (names_.empty()) return;
  const Dataset first(check(H5Dopen2(file_.id(), names_[0].c_str(), H5P_DEFAULT), "H5Dopen"));
  if (const auto dims = dims_of(first); !dims.empty()) rows_ = dims[0];
}

std::optional<std::string> WrittenFile::text(const std::string& name) const {
  const auto attribute = attribute_of(file_, name);
  if (!attribute) return std::nullopt;
  const Type type(check(H5Aget_type(attribute->id()), "H5Aget_type"));
  if (H5Tis_variable_str(type.id()) <= 0) return std::nullopt;
  char* value = nullptr;
  check(H5Aread(attribute->id(), type.id(), static_cast<void*>(&value)), "H5Aread");
  std::string found = value != nullptr ? value : "";
  H5free_memory(value);
  return found;
}

std::optional<std::int64_t> WrittenFile::number(const std::string& name) const {
  const auto attribute = attribute_of(file_, name);
  if (!attribute) return std::nullopt;
  std::int64_t value = 0;
  check(H5Aread(attribute->id(), H5T_NATIVE_INT64, &value), "H5Aread");
  return value;
}

void WrittenFile::read(const std::string& name, std::uint64_t first, std::uint64_t rows,
                       std::vector<std::byte>& out) const {
  const Dataset dataset(check(H5Dopen2(file_.id(), name.c_str(), H5P_DEFAULT), "H5Dopen"));
  const Type type(check(H5Dget_type(dataset.id()), "H5Dget_type"));
  auto dims = dims_of(dataset);
  std::vector<hsize_t> start(dims.size());
  start.at(0) = first;
  dims.at(0) = rows;
  std::uint64_t bytes = H5Tget_size(type.id());
  for (const auto extent : dims) bytes *= extent;
  const auto before = out.size();
  out.resize(before + bytes);
  const Space from(check(H5Dget_space(dataset.id()), "H5Dget_space"));
  const Space to(check(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), "H5Screate_simple"));
  check(H5Sselect_hyperslab(from.id(), H5S_SELECT_SET, start.data(), nullptr, dims.data(), nullptr), "H5Sselect");
  if (H5Dread(dataset.id(), type.id(), to.id(), from.id(), H5P_DEFAULT, out.data() + before) < 0)
    throw Error(
        fmt::format("cannot read {}, dataset {}, rows {} to {} ({})", path_, name, first, first + rows - 1, reason()));
}

void WrittenFile::read_texts(const std::string& name, const std::function<void(std::string_view text)>& take) const {
  constexpr hsize_t at_once = 1 << 16;
  const Dataset dataset(check(H5Dopen2(file_.id(), name.c_str(), H5P_DEFAULT), "H5Dopen"));
  const Type type(check(H5Dget_type(dataset.id()), "H5Dget_type"));
  const auto dims = dims_of(dataset);
  if (H5Tis_variable_str(type.id()) <= 0 || dims.size() != 1)
    throw Error(fmt::format("{}: {} is no list of texts; write it again", path_, name));
  const Space from(check(H5Dget_space(dataset.id()), "H5Dget_space"));
  for (hsize_t first = 0; first < dims[0]; first += at_once) {
    const auto count = std::min(at_once, dims[0] - first);
    const Space to(check(H5Screate_simple(1, &count, nullptr), "H5Screate_simple"));
    check(H5Sselect_hyperslab(from.id(), H5S_SELECT_SET, &first, nullptr, &count, nullptr), "H5Sselect");
    std::vector<char*> texts(count);
    if (H5Dread(dataset.id(), type.id(), to.id(), from.id(), H5P_DEFAULT, texts.data()) < 0)
      throw Error(fmt::format("cannot read {}, dataset {} ({})", path_, name, reason()));
    for (const auto* text : texts) take(text != nullptr ? text : "");
    check(H5Dvlen_reclaim(type.id(), to.id(), H5P_DEFAULT, texts.data()), "H5Dvlen_reclaim");
  }
}

}  // namespace headrace::h5
