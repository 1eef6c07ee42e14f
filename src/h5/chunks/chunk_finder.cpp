#include "h5/chunks/chunk_finder.hpp"

#include <hdf5.h>

#include <exception>
#include <limits>

#include "base/error.hpp"
#include "h5/chunks/noting_driver.hpp"
#include "h5/error.hpp"
#include "h5/outside.hpp"

namespace headrace::h5::chunks {

namespace {

static_assert(sizeof(hsize_t) == sizeof(std::uint64_t));

bool has_user_block(const File& file) {
  const Plist made(check(H5Fget_create_plist(file.id()), "H5Fget_create_plist"));
  hsize_t bytes = 0;
  check(H5Pget_userblock(made.id(), &bytes), "H5Pget_userblock");
  return bytes > 0;
}

}  // namespace

ChunkFinder::ChunkFinder(const std::string& path, const DatasetInfo& dataset)
    : file_(open_to_note(path)),
      dataset_(check(H5Dopen2(file_.id(), dataset.place().c_str(), link_access()), "H5Dopen")),
      with_user_block_(has_user_block(file_)) {}

std::optional<StoredChunk> ChunkFinder::find(const std::vector<std::uint64_t>& at) const {
  std::uint32_t skipped = 0;
  char nothing = 0;  // is written to it
  const Noting noting;
  if (H5Dread_chunk(dataset_.id(), H5P_DEFAULT, reinterpret_cast<const hsize_t*>(at.data()), &skipped, &nothing) < 0) {
    H5Eclear2(H5E_DEFAULT);
    return std::nullopt;
  }
  const auto& noted = noting.noted();
  if (noted.reads != 1 || noted.bytes > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return StoredChunk{noted.offset, static_cast<std::uint32_t>(noted.bytes), skipped};
}

// 1.13.0 and .1 tell numbers of chunks where others tell elements.
#if defined(HEADRACE_CHUNK_ITER) && !(H5_VERSION_GE(1, 13, 0) && !H5_VERSION_GE(1, 13, 2))

namespace {

struct Visit {
  const std::function<void(const std::vector<std::uint64_t>&, const StoredChunk&)>& call;
  std::vector<std::uint64_t> at;
  std::exception_ptr failure;
};

// 1.14.0 to .3 have the filter mask unsigned, too, and all pass sizes as hsize_t.
int visit_one(const hsize_t* at, unsigned skipped, haddr_t offset, hsize_t bytes, void* data) {
  auto& visit = *static_cast<Visit*>(data);
  if (bytes > std::numeric_limits<std::uint32_t>::max()) return H5_ITER_CONT;  // HDF5 reads what was not visited
  try {
    visit.at.assign(at, at + visit.at.size());
    visit.call(visit.at, {offset, static_cast<std::uint32_t>(bytes), skipped});
    return H5_ITER_CONT;
  } catch (...) {
    visit.failure = std::current_exception();
    return H5_ITER_ERROR;
  }
}

}  // namespace

bool ChunkFinder::visit(
    const std::function<void(const std::vector<std::uint64_t>& at, const StoredChunk& chunk)>& visit) const {
  if (with_user_block_) return false;  // some versions count from its end, others from its begin
  const Space space(check(H5Dget_space(dataset_.id()), "H5Dget_space"));
  const auto rank = check(H5Sget_simple_extent_ndims(space.id()), "H5Sget_simple_extent_ndims");
  Visit all{visit, std::vector<std::uint64_t>(static_cast<std::size_t>(rank)), {}};
  const auto done = H5Dchunk_iter(dataset_.id(), H5P_DEFAULT, visit_one, &all);
  if (all.failure) std::rethrow_exception(all.failure);
  check(done, "H5Dchunk_iter");
  return true;
}

#else

bool ChunkFinder::visit(
    const std::function<void(const std::vector<std::uint64_t>& at, const StoredChunk& chunk)>& /*visit*/) const {
  return false;
}

#endif

}  // namespace headrace::h5::chunks
