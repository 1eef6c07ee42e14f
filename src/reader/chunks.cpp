#include <algorithm>
#include <deque>
#include <string>

#include "reader/chunk_job.hpp"
#include "reader/route.hpp"
#include "reader/ways.hpp"

namespace headrace::reader {

namespace {

constexpr std::uint64_t memory_limit = std::uint64_t{64} << 20;  // of all jobs together
constexpr std::uint64_t job_stored = std::uint64_t{512} << 10;   // of a job: long reads, yet many jobs to share
constexpr std::uint64_t job_plain = std::uint64_t{4} << 20;      // of one whose chunks shrank to next to nothing
constexpr std::uint64_t ahead_bytes = std::uint64_t{8} << 20;    // that the system reads while earlier ones are decoded

/// Cuts the rows of one dataset into jobs, in the caller's thread.
class ChunkReading {
 public:
  ChunkReading(const Course& course, FileInHand& file, Crew& crew)
      : course_(course),
        file_(file),
        crew_(crew),
        grid_(std::make_shared<const Grid>(course.here())),
        index_(course.known.chunks.of(course.path(), course.here())) {
    const auto job_bytes = job_stored + band_bytes(course.here()) * 2 + grid_->chunk_bytes();
    limit_ = static_cast<unsigned>(std::clamp<std::uint64_t>(memory_limit / job_bytes, 1, 2 * crew.threads()));
  }

  void read(const std::vector<Piece>& pieces) {
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      for (const auto& part : cut(pieces[i], grid_->band_rows(), grid_->band_rows())) read_part(part);
      if (i + 1 == pieces.size() || !shares_chunks(pieces[i + 1])) close_job();
    }
  }
  /// Returns why HDF5 read more of it than what was never written; "" where it did not.
  std::string finish() {
    while (!ahead_.empty()) hand_out();
    return why_not_found_;
  }

 private:
  std::uint64_t band_of(const Piece& part) const { return part.row / grid_->band_rows(); }
  /// Whether a job that read this part as well would decode fewer chunks than two would.
  bool shares_chunks(const Piece& part) const {
    return band_of(part) == last_band_ && !(course_.here().filters.empty() && grid_->whole());
  }

  void read_part(const Piece& part) {
    course_.tally.tell();
    if (is_full() && !shares_chunks(part)) close_job();
    if (band_of(part) != last_band_) {
      last_band_ = band_of(part);
      course_.explain(part, [&] { chunks_ = find(last_band_); });
    }
    if (chunks_.empty())
      through_hdf5(part);  // it knows what stands where nothing was written
    else
      take(part, chunks_);
  }

  const h5::chunks::ChunkFinder& finder() {
    if (!finder_) finder_ = std::make_unique<h5::chunks::ChunkFinder>(course_.path(), course_.here());
    return *finder_;
  }

  /// The chunks of the band; empty where HDF5 has to read it.
  std::vector<StoredChunk> find(std::uint64_t band) {
    std::vector<StoredChunk> chunks;
    const auto count = grid_->chunks_per_band();
    for (std::uint64_t i = 0; i < count && why_not_found_.empty(); ++i) {
      const auto chunk = look_up(band * count + i);
      if (!chunk) return {};
      chunks.push_back(*chunk);
      if (course_.here().partial_chunks_unfiltered && grid_->beyond(band, i)) chunks.back().skipped = ~0u;
    }
    return chunks;
  }

  std::optional<StoredChunk> look_up(std::uint64_t number) {
    std::optional<StoredChunk> chunk;
    try {
      chunk = index_->at(number, [this]() -> const h5::chunks::ChunkFinder& { return finder(); });
    } catch (const Error& e) {
      why_not_found_ = e.what();
      return std::nullopt;
    }
    const auto file_bytes = course_.catalog.files[course_.file].bytes;
    if (chunk && (chunk->bytes > file_bytes || chunk->offset > file_bytes - chunk->bytes))
      throw Error("one of its chunks is said to take " + std::to_string(chunk->bytes) + " bytes from byte " +
                  std::to_string(chunk->offset) + " on, beyond the file's end; it is damaged: copy it anew");
    return chunk;
  }

  void through_hdf5(const Piece& part) {
    close_job();
    if (!reader_)
      course_.explain(part, [&] { reader_ = std::make_unique<h5::Reader>(file_.hdf5(), course_.here().place()); });
    read_slice(course_, *reader_, part, staging_);
  }

  void take(const Piece& part, const std::vector<StoredChunk>& chunks) {
    if (!job_) course_.explain(part, [&] { job_.emplace(course_, grid_, file_.plain()); });
    job_->add(part, chunks);
  }

  bool is_full() const { return job_ && (job_->stored_bytes() >= job_stored || job_->plain_bytes() >= job_plain); }

  /// What is filtered takes a while, in which the system may read what comes next. All else is read as fast as it can
  /// be, unless the system reads nothing that it was not told of.
  bool tells_ahead() { return !course_.here().filters.empty() || file_.plain()->hints().scattered; }

  void close_job() {
    if (!job_) return;
    job_->arrange();
    const bool ahead = tells_ahead();
    if (ahead) job_->will_read();
    ahead_stored_ += job_->stored_bytes();
    ahead_.push_back(std::move(*job_));
    job_.reset();
    while (ahead_stored_ > (ahead ? ahead_bytes : 0)) hand_out();
  }

  void hand_out() {
    auto job = std::make_shared<const ChunkJob>(std::move(ahead_.front()));
    ahead_.pop_front();
    ahead_stored_ -= job->stored_bytes();
    crew_.add(crew_.bench(), limit_, [job = std::move(job)](Bench& bench) { job->run(bench); });
  }

  const Course& course_;
  FileInHand& file_;
  Crew& crew_;
  std::shared_ptr<const Grid> grid_;
  std::shared_ptr<h5::chunks::ChunkIndex> index_;
  unsigned limit_ = 1;
  std::unique_ptr<h5::chunks::ChunkFinder> finder_;
  std::unique_ptr<h5::Reader> reader_;
  std::vector<std::byte> staging_;
  std::uint64_t last_band_ = ~std::uint64_t{0};
  std::vector<StoredChunk> chunks_;  // of that band
  std::optional<ChunkJob> job_;  // that is being put together
  std::deque<ChunkJob> ahead_;
  std::uint64_t ahead_stored_ = 0;
  std::string why_not_found_;
};

}  // namespace

std::string read_chunks(const Course& course, const std::vector<Piece>& pieces, FileInHand& file, Crew& crew) {
  ChunkReading reading(course, file, crew);
  reading.read(pieces);
  return reading.finish();
}

}  // namespace headrace::reader
