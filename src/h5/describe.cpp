#include "h5/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/reading_note.hpp"
#include "h5/error.hpp"
#include "h5/external_storage.hpp"
#include "h5/object.hpp"
#include "h5/outside.hpp"
#include "h5/trial.hpp"

namespace headrace::h5 {

namespace {

std::vector<std::uint64_t> dims_of(const Space& space) {
  if (H5Sget_simple_extent_type(space.id()) != H5S_SIMPLE) return {};
  const int rank = check(H5Sget_simple_extent_ndims(space.id()), "H5Sget_simple_extent_ndims");
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  check(H5Sget_simple_extent_dims(space.id(), dims.data(), nullptr), "H5Sget_simple_extent_dims");
  return {dims.begin(), dims.end()};
}

Layout layout_of(const Plist& properties) {
  if (H5Pget_external_count(properties.id()) > 0) return Layout::other;
  switch (H5Pget_layout(properties.id())) {
    case H5D_CONTIGUOUS:
      return Layout::contiguous;
    case H5D_CHUNKED:
      return Layout::chunked;
    case H5D_COMPACT:
      return Layout::compact;
    default:
      return Layout::other;
  }
}

void describe_chunks(const Plist& properties, DatasetInfo& info) {
  std::vector<hsize_t> chunk(info.dims.size());
  check(H5Pget_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data()), "H5Pget_chunk");
  info.chunk.assign(chunk.begin(), chunk.end());
  info.filters = filters_of(properties.id());
  unsigned options = 0;
  check(H5Pget_chunk_opts(properties.id(), &options), "H5Pget_chunk_opts");
  info.partial_chunks_unfiltered = (options & H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) != 0;
}

/// The name of the file that an object lies in, as it was opened.
std::string home_of(hid_t id) {
  const auto length = check(H5Fget_name(id, nullptr, 0), "H5Fget_name");
  std::string name(static_cast<std::size_t>(length) + 1, '\0');
  check(H5Fget_name(id, name.data(), name.size()), "H5Fget_name");
  name.pop_back();
  return name;
}

void describe_other_files(hid_t id, const Plist& properties, DatasetInfo& info) {
  const auto home = home_of(id);
  auto raw = raw_files(properties, home, info.rows() * info.row_elements() * info.type.size);
  info.lost = std::move(raw.lost);
  info.raw_files = std::move(raw.places);
  if (H5Pget_layout(properties.id()) != H5D_VIRTUAL) return;
  info.home = home;
  if (!info.dims.empty()) info.parts = virtual_parts(properties, info.dims);
}

/// Nothing is written: no place. It is asked for by its status, because HDF5 adds the length of a user block to an
/// undefined offset, too, and then names a place in the middle of nowhere.
std::optional<std::uint64_t> offset_of(hid_t id) {
  H5D_space_status_t status = H5D_SPACE_STATUS_ERROR;
  check(H5Dget_space_status(id, &status), "H5Dget_space_status");
  if (status != H5D_SPACE_STATUS_ALLOCATED) return std::nullopt;
  const haddr_t offset = H5Dget_offset(id);
  H5Eclear2(H5E_DEFAULT);
  if (offset == HADDR_UNDEF) return std::nullopt;
  return offset;
}

std::uint64_t bytes_of(hid_t type, const std::vector<std::uint64_t>& extents) {
  auto bytes = static_cast<std::uint64_t>(H5Tget_size(type));
  for (const auto extent : extents)
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return UINT64_MAX;
  return bytes;
}

/// Elements of it are pointers in memory, of another size than what the file has in their place.
bool has_pointers(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_VLEN:
      return true;
    case H5T_STRING:
      return H5Tis_variable_str(type) > 0;
    case H5T_ARRAY:
      return has_pointers(Type(check(H5Tget_super(type), "H5Tget_super")).id());
    case H5T_COMPOUND:
      for (int i = 0; i < H5Tget_nmembers(type); ++i)
        if (has_pointers(Type(check(H5Tget_member_type(type, static_cast<unsigned>(i)), "H5Tget_member_type")).id()))
          return true;
      return false;
    default:
      return false;
  }
}

/// What the index of an unfiltered dataset says of each chunk's size is what HDF5 1.10 reads, whatever room there is: one
/// that is twice as long as chunks are would go unseen in their sum, where others were never written.
bool has_chunk_of_another_size(hid_t id, std::uint64_t stored_bytes, std::uint64_t chunk_bytes) {
  constexpr hsize_t most_looked_at = 1000;  // each look-up goes through the index from its begin
  const Space all(check(H5Dget_space(id), "H5Dget_space"));
  hsize_t count = 0;
  check(H5Dget_num_chunks(id, all.id(), &count), "H5Dget_num_chunks");
  if (stored_bytes / chunk_bytes != count) return true;
  for (hsize_t i = 0; i < std::min(count, most_looked_at); ++i) {
    hsize_t bytes = 0;
    check(H5Dget_chunk_info(id, all.id(), i, nullptr, nullptr, nullptr, &bytes), "H5Dget_chunk_info");
    if (bytes != chunk_bytes) return true;
  }
  return false;
}

/// HDF5 takes more than a kilobyte of memory for each chunk that it reads from at once, and at least a row is read at
/// once.
void require_few_chunks(const DatasetInfo& info) {
  constexpr std::uint64_t most = std::uint64_t{1} << 20;
  std::uint64_t chunks = 1;
  for (std::size_t axis = 1; axis < info.dims.size(); ++axis) {
    const auto along = info.dims[axis] / info.chunk[axis] + (info.dims[axis] % info.chunk[axis] != 0 ? 1 : 0);
    if (__builtin_mul_overflow(chunks, along, &chunks)) chunks = UINT64_MAX;
  }
  if (info.rows() > 0 && chunks > most)
    throw Error(
        fmt::format("each row of dataset '{}' is spread over {} chunks, and at most {} can be read at once; if "
                    "that is what was written, give it larger chunks with h5repack, else it is damaged: copy "
                    "it anew",
                    info.path, chunks, most));
}

/// HDF5 1.10 copies as many bytes out of a compact dataset as the shape takes, whatever is there; what stands behind a
/// contiguous one is somebody else's; and of a chunk without filters it tells the size that it should have, and reads the
/// one that its index has.
void require_whole(hid_t id, hid_t type, const DatasetInfo& info) {
  const auto refuse = [&](const std::string& wanted) {
    throw Error(fmt::format("dataset '{}' holds {} bytes, and its shape takes {}; it is damaged: copy it anew",
                            info.path, info.stored_bytes, wanted));
  };
  if (info.stored_bytes == 0) return;
  if (info.layout == Layout::compact || info.layout == Layout::contiguous) {
    const auto wanted = bytes_of(type, info.dims);
    if (wanted > info.stored_bytes) refuse(std::to_string(wanted));
  }
  if (info.layout == Layout::chunked && info.filters.empty() && !has_pointers(type)) {
    const auto chunk = bytes_of(type, info.chunk);
    if (chunk > 0 && (info.stored_bytes % chunk != 0 || has_chunk_of_another_size(id, info.stored_bytes, chunk)))
      refuse(fmt::format("chunks of {}", chunk));
  }
}

DatasetInfo describe(hid_t id, std::string path) {
  DatasetInfo info;
  info.path = std::move(path);
  info.dims = dims_of(Space(check(H5Dget_space(id), "H5Dget_space")));
  const Type type(check(H5Dget_type(id), "H5Dget_type"));
  info.type = describe_type(type.id());
  const Plist properties(check(H5Dget_create_plist(id), "H5Dget_create_plist"));
  info.layout = layout_of(properties);
  remember_storage(id, properties);
  if (info.layout == Layout::chunked) describe_chunks(properties, info);
  if (info.layout == Layout::other) describe_other_files(id, properties, info);
  info.stored_bytes = H5Dget_storage_size(id);
  if (info.layout == Layout::chunked) require_few_chunks(info);
  require_whole(id, type.id(), info);
  if (info.layout == Layout::contiguous) info.offset = offset_of(id);
  info.attributes = attributes_of(id);
  return info;
}

auto rank(const LinkToDataset& link) {
  return std::tuple(!link.hard, std::count(link.path.begin(), link.path.end(), '/'), std::string_view(link.path));
}

bool written_by_pytables(hid_t of_file) {
  const auto is = H5Aexists_by_name(of_file, "/", "PYTABLES_FORMAT_VERSION", H5P_DEFAULT);
  H5Eclear2(H5E_DEFAULT);
  return is > 0;
}

/// The file that a dataset stands in tells, whichever links lead there.
bool written_by_pytables(const File& file, const std::string& path) {
  const Dataset dataset(H5Dopen2(file.id(), path.c_str(), link_access()));
  const File own(dataset ? H5Iget_file_id(dataset.id()) : H5I_INVALID_HID);
  return own && written_by_pytables(own.id());
}

DatasetInfo describe(const File& file, std::vector<LinkToDataset> links, bool in_this_file, Depth depth) {
  std::sort(links.begin(), links.end(), [](const auto& a, const auto& b) { return rank(a) < rank(b); });
  auto info = describe_dataset(file, links[0].path, depth);
  for (std::size_t i = 1; i < links.size(); ++i) info.aliases.push_back(links[i].path);
  auto timed = info.type;
  as_pytables_writes_times(timed);
  if (timed != info.type && (in_this_file ? written_by_pytables(file.id()) : written_by_pytables(file, links[0].path)))
    info.type = std::move(timed);
  return info;
}

}  // namespace

DatasetInfo describe_dataset(const File& file, const std::string& path, Depth depth) {
  const auto note = ReadingNote::of_dataset(path);
  DatasetInfo info;
  info.path = path;
  try {
    const Dataset dataset(check(H5Dopen2(file.id(), path.c_str(), link_access()), "H5Dopen"));
    info = describe(dataset.id(), path);
    if (depth == Depth::try_reading) try_reading(dataset.id(), info);
    if (object_info(dataset.id()).identity.file != object_info(file.id()).identity.file) {
      info.layout = Layout::other;  // behind an external link: offsets and chunks are those of another file
      info.offset.reset();
      info.chunk.clear();
      info.other_file = home_of(dataset.id());
    }
  } catch (const Error& e) {
    info.problem = e.what() + newer_version_hint(e.what());
  }
  return info;
}

FileDescription describe_file(const File& file, Depth depth) {
  auto links = walk_links(file);
  const auto here = object_info(file.id()).identity.file;
  FileDescription found{{}, std::move(links.groups), std::move(links.dead)};
  for (auto& [identity, names] : links.datasets)
    found.datasets.push_back(describe(file, std::move(names), identity.file == here, depth));
  std::sort(found.datasets.begin(), found.datasets.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return found;
}

std::vector<DatasetInfo> describe_datasets(const File& file) {
  return describe_file(file).datasets;
}

void try_virtual(const File& file, const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    const auto note = ReadingNote::of_dataset(path);
    const auto info = describe_dataset(file, path);
    if (!info.problem.empty()) continue;
    const Dataset dataset(check(H5Dopen2(file.id(), path.c_str(), link_access()), "H5Dopen"));
    try_reading_virtual(dataset.id(), info);
  }
}

}  // namespace headrace::h5
