#include "h5/virtual_map.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "h5/error.hpp"

namespace headrace::h5 {

namespace {

using Dims = std::vector<std::uint64_t>;

std::uint64_t as_u64(hsize_t extent) {
  return extent;
}

/// "%b" stands for a block's number, "%%" for a percent sign.
std::string with_block(const std::string& name, std::optional<std::uint64_t> block) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char next = name[i] == '%' && i + 1 < name.size() ? name[i + 1] : '\0';
    if (next == '%' || (next == 'b' && block)) {
      text += next == '%' ? "%" : std::to_string(*block);
      ++i;
    } else {
      text += name[i];
    }
  }
  return text;
}

std::string without_slash(const std::string& path) {
  return path.substr(std::min(path.size(), path.find_first_not_of('/')));
}

template <class Call>
std::string name_from(Call call, const Plist& properties, std::size_t i, const char* what) {
  const auto length = check(call(properties.id(), i, nullptr, 0), what);
  std::string name(static_cast<std::size_t>(length) + 1, '\0');
  check(call(properties.id(), i, name.data(), name.size()), what);
  name.pop_back();
  return name;
}

/// The regular hyperslab of a space as it stands: counts and blocks may be unlimited.
Slab regular_slab(const Space& space, std::size_t rank) {
  std::vector<hsize_t> start(rank), stride(rank), count(rank), block(rank);
  check(H5Sget_regular_hyperslab(space.id(), start.data(), stride.data(), count.data(), block.data()),
        "H5Sget_regular_hyperslab");
  return {{start.begin(), start.end()},
          {stride.begin(), stride.end()},
          {count.begin(), count.end()},
          {block.begin(), block.end()}};
}

std::vector<Slab> blocks_of(const Space& space, std::size_t rank) {
  const auto n =
      static_cast<std::size_t>(check(H5Sget_select_hyper_nblocks(space.id()), "H5Sget_select_hyper_nblocks"));
  std::vector<hsize_t> corners(2 * rank * n);
  check(H5Sget_select_hyper_blocklist(space.id(), 0, n, corners.data()), "H5Sget_select_hyper_blocklist");
  std::vector<Slab> slabs;
  for (std::size_t b = 0; b < n; ++b) {
    Slab slab{Dims(rank), Dims(rank, 1), Dims(rank, 1), Dims(rank)};
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const auto first = corners[2 * rank * b + axis], last = corners[2 * rank * b + rank + axis];
      slab.start[axis] = first;
      slab.block[axis] = last - first + 1;
    }
    slabs.push_back(std::move(slab));
  }
  return slabs;
}

bool has_unlimited(const Slab& slab) {
  const auto any = [](const Dims& extents) {
    return std::find(extents.begin(), extents.end(), as_u64(H5S_UNLIMITED)) != extents.end();
  };
  return any(slab.count) || any(slab.block);
}

/// The slab as far as the dims go; nothing where it begins behind them.
std::optional<Slab> within(Slab slab, const Dims& dims) {
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    if (slab.start[axis] >= dims[axis] || slab.count[axis] == 0) return std::nullopt;
    const auto room = dims[axis] - slab.start[axis];
    if (slab.block[axis] == as_u64(H5S_UNLIMITED)) slab.block[axis] = room;
    const auto stride = std::max<std::uint64_t>(1, slab.stride[axis]);
    slab.count[axis] = std::min(slab.count[axis], (room + stride - 1) / stride);
  }
  return slab;
}

/// A selection of a space; empty for all and for none of it.
std::vector<Slab> slabs_of(const Space& space) {
  if (H5Sget_select_type(space.id()) != H5S_SEL_HYPERSLABS) return {};
  const auto rank =
      static_cast<std::size_t>(check(H5Sget_simple_extent_ndims(space.id()), "H5Sget_simple_extent_ndims"));
  if (check(H5Sis_regular_hyperslab(space.id()), "H5Sis_regular_hyperslab") > 0) return {regular_slab(space, rank)};
  return blocks_of(space, rank);
}

Slab whole(const Dims& dims) {
  return {Dims(dims.size(), 0), Dims(dims.size(), 1), Dims(dims.size(), 1), dims};
}

/// One mapping: one part, or one per block where its names count them.
class Mapping {
 public:
  Mapping(const Plist& properties, std::size_t i, const Dims& dims) : dims_(dims) {
    part_.file = name_from(H5Pget_virtual_filename, properties, i, "H5Pget_virtual_filename");
    part_.dataset = without_slash(name_from(H5Pget_virtual_dsetname, properties, i, "H5Pget_virtual_dsetname"));
    const Space to(check(H5Pget_virtual_vspace(properties.id(), i), "H5Pget_virtual_vspace"));
    const Space from(check(H5Pget_virtual_srcspace(properties.id(), i), "H5Pget_virtual_srcspace"));
    part_.from = slabs_of(from);
    part_.to = H5Sget_select_type(to.id()) == H5S_SEL_ALL ? std::vector{whole(dims)} : slabs_of(to);
    source_unlimited_ = part_.from.size() == 1 && has_unlimited(part_.from[0]);
  }

  void append(std::vector<VirtualPart>& parts) {
    if (part_.to.size() == 1 && has_unlimited(part_.to[0])) {
      if (!source_unlimited_) return append_blocks(parts);
      part_.unlimited = true;
      part_.from.clear();
    }
    std::vector<Slab> to;
    for (auto& slab : part_.to)
      if (auto some = within(std::move(slab), dims_)) to.push_back(std::move(*some));
    part_.to = std::move(to);
    parts.push_back(named({}));
  }

 private:
  VirtualPart named(std::optional<std::uint64_t> block) const {
    auto part = part_;
    part.file = with_block(part_.file, block);
    part.dataset = with_block(part_.dataset, block);
    return part;
  }

  void append_blocks(std::vector<VirtualPart>& parts) {
    const auto all = part_.to[0];
    const auto unlimited = std::find(all.count.begin(), all.count.end(), as_u64(H5S_UNLIMITED));
    const auto axis = static_cast<std::size_t>(unlimited - all.count.begin());
    const auto some = within(all, dims_);
    const auto blocks = some ? some->count[axis] : 0;
    for (std::uint64_t b = 0; b < std::max<std::uint64_t>(1, blocks); ++b) {
      auto part = named(b);
      part.unlimited = blocks == 0;
      part.to.clear();
      if (some) {
        auto one = *some;
        one.start[axis] = all.start[axis] + b * all.stride[axis];
        one.count[axis] = 1;
        part.to = {one};
      }
      parts.push_back(std::move(part));
    }
  }

  const Dims& dims_;
  VirtualPart part_;
  bool source_unlimited_ = false;
};

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() || folder.back() == '/' ? folder + name : folder + "/" + name;
}

std::string folder_of(const std::string& file) {
  const auto slash = file.rfind('/');
  return slash == std::string::npos ? "" : file.substr(0, slash + 1);
}

/// The folders that the environment names, parted by colons.
std::vector<std::string> prefixes(const std::string& home) {
  const char* value = std::getenv("HDF5_VDS_PREFIX");
  std::vector<std::string> folders;
  const std::string all = value != nullptr ? value : "";
  for (std::size_t at = 0; at < all.size();) {
    const auto end = std::min(all.find(':', at), all.size());
    if (end > at) folders.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  constexpr std::string_view origin = "${ORIGIN}";
  if (all.starts_with(origin)) folders.push_back(folder_of(home) + "." + all.substr(origin.size()));
  return folders;
}

}  // namespace

std::uint64_t VirtualPart::points() const {
  std::uint64_t sum = 0;
  for (const auto& slab : to) {
    std::uint64_t n = 1;
    for (std::size_t axis = 0; axis < slab.start.size(); ++axis) n *= slab.count[axis] * slab.block[axis];
    sum += n;
  }
  return sum;
}

std::vector<VirtualPart> virtual_parts(const Plist& properties, const Dims& dims) {
  std::size_t count = 0;
  check(H5Pget_virtual_count(properties.id(), &count), "H5Pget_virtual_count");
  std::vector<VirtualPart> parts;
  for (std::size_t i = 0; i < count; ++i) Mapping(properties, i, dims).append(parts);
  return parts;
}

std::vector<std::string> source_candidates(const std::string& home, const std::string& file) {
  if (file == ".") return {home};
  std::vector<std::string> candidates;
  auto name = file;
  if (file.starts_with('/')) {
    candidates.push_back(file);
    name = file.substr(file.rfind('/') + 1);
  }
  for (const auto& folder : prefixes(home)) candidates.push_back(joined(folder, name));
  candidates.push_back(folder_of(home) + name);
  candidates.push_back(name);
  std::error_code error;
  const auto real = std::filesystem::canonical(home, error);
  if (!error) candidates.push_back(joined(real.parent_path().string(), name));

  std::vector<std::string> different, seen;
  for (const auto& candidate : candidates) {
    const auto place = std::filesystem::absolute(candidate, error).lexically_normal().string();
    if (std::find(seen.begin(), seen.end(), place) != seen.end()) continue;
    seen.push_back(place);
    different.push_back(std::filesystem::path(candidate).lexically_normal().string());
  }
  return different;
}

}  // namespace headrace::h5
