#include "reader/announce.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "reader/grid.hpp"
#include "reader/known_files.hpp"
#include "reader/plain_file.hpp"

namespace headrace::reader {

namespace {

class Announcement {
 public:
  Announcement(const catalog::FileInfo& file, KnownFiles& known, std::uint64_t& left)
      : path_(file.path), known_(known), left_(left), file_(file.path, {.scattered = true}) {}

  void add(const h5::DatasetInfo& here, const std::vector<Piece>& pieces) {
    for (const auto& piece : pieces) {
      if (left_ == 0) return;
      if (route(Io::direct, here).way == Way::plain)
        tell(*here.offset + piece.row * here.row_bytes(), piece.rows * here.row_bytes());
      else if (route(Io::direct, here).way == Way::chunks)
        add_chunks(here, piece);
    }
  }

 private:
  void tell(std::uint64_t offset, std::uint64_t bytes) {
    bytes = std::min(bytes, left_);
    file_.will_read(offset, bytes);
    left_ -= bytes;
  }

  void add_chunks(const h5::DatasetInfo& here, const Piece& piece) {
    const Grid grid(here);
    const auto index = known_.chunks.of(path_, here);
    std::unique_ptr<h5::chunks::ChunkFinder> finder;
    const auto look = [&]() -> const h5::chunks::ChunkFinder& {
      if (!finder) finder = std::make_unique<h5::chunks::ChunkFinder>(path_, here);
      return *finder;
    };
    const auto count = grid.chunks_per_band(), end = (piece.row + piece.rows - 1) / grid.band_rows() + 1;
    for (auto number = piece.row / grid.band_rows() * count; number < end * count && left_ > 0; ++number)
      if (const auto chunk = index->at(number, look)) tell(chunk->offset, chunk->bytes);
  }

  const std::string& path_;
  KnownFiles& known_;
  std::uint64_t& left_;
  PlainFile file_;
};

}  // namespace

void announce(const catalog::Catalog& catalog, std::span<const Interval> intervals, const LoadOptions& options,
              std::uint64_t most_bytes) {
  for (std::size_t f = 0; f < catalog.files.size() && most_bytes > 0; ++f) {
    const auto& file = catalog.files[f];
    const auto pieces = pieces_in(file, intervals);
    if (pieces.empty() || file.rows || !options.known) continue;
    try {
      Announcement announcement(file, *options.known, most_bytes);
      for (const auto& dataset : catalog.datasets)
        if (const auto& here = dataset.in_file[f]; !here.path.empty()) announcement.add(here, pieces);
    } catch (const Error&) {  // the load will say so, if it comes to that
      return;
    }
  }
}

}  // namespace headrace::reader
