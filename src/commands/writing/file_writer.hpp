// One HDF5 file on its way: made as FILE.part, filled by all stagers or by one, closed and renamed. Collective over the
// writers; the thread that owns MPI and HDF5. The rows are those of a session's stream, or of any BlockSource.
//
//   contiguous   all writers put the rows of their blocks where they belong
//   chunked      all writers encode their blocks; the first puts them into the file, in order (funnel.hpp)
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "commands/writing/block_source.hpp"
#include "commands/writing/layout.hpp"
#include "commands/writing/session.hpp"
#include "config/outputs.hpp"
#include "formats/chunked.hpp"
#include "formats/contiguous.hpp"
#include "formats/journal.hpp"
#include "mpi/comm.hpp"

namespace headrace::commands::writing {

/// What goes where.
struct Job {
  std::string path;
  std::uint64_t first = 0, samples = 0;  ///< positions of the stream
  config::Compression compression;
  std::uint64_t chunk = 0;
  std::uint64_t block_rows = 0;
  std::vector<h5::NewAttribute> attributes;  ///< beside those of the layout
  bool keep = false;                         ///< what is written stays whatever failed, which may be mended outside
  bool one_of_several = false;               ///< where one fails, --resume goes on with the others; messages say so
};

/// A dataset of texts beside the rows, one for each.
struct LateTexts {
  std::string path;
  std::function<std::string(std::uint64_t row)> text;
};

class FileWriter {
 public:
  FileWriter(const mpi::Comm& writers, Job job, Layout layout);
  ~FileWriter();

  /// Who is shown each block that this run writes, by the worker that has written it.
  using Watcher = std::function<void(const Block& block, std::span<const std::byte* const> fields)>;
  void watch(Watcher watcher) { watcher_ = std::move(watcher); }

  /// Makes the part file, or takes up the one that is there. Error where there is no room.
  void prepare(const formats::Facts& facts, bool resume);
  /// Rows that were written by an earlier run.
  std::uint64_t rows_before() const { return rows_before_; }
  /// Writes what is missing. False: it was stopped. Error, the same on all writers: what failed and what to do.
  bool write(Session& session);
  /// The same of other rows; contiguous files only.
  bool write(BlockSource& source);
  /// Completes the file, with attributes and texts that are known now only, and gives it its name.
  void finish(const std::vector<h5::NewAttribute>& late, const std::vector<LateTexts>& texts = {});
  /// Where the rows of each table begin; contiguous files only.
  const std::vector<std::uint64_t>& offsets() const { return offsets_; }
  const Layout& layout() const { return layout_; }
  /// Rows that are written, once write() is over.
  std::uint64_t rows_done() const { return rows_done_; }
  /// Takes away what prepare() made, unless something was written.
  void discard();
  /// Takes it away in any case.
  void abandon();
  /// discard() for a process that ends at once: any thread, while nothing is written.
  void unlink() const;

 private:
  bool is_first() const { return writers_.rank() == 0; }
  bool chunked() const { return job_.compression.how != config::Compression::How::none; }
  /// Of an earlier run, while its chunks are copied.
  std::string old_part() const { return part_ + ".old"; }
  void make();
  void begin_anew(const formats::Facts& facts);
  void go_on(const formats::Facts& facts);
  void take_up(const formats::Facts& facts);
  void restore();
  void copy_blocks();
  std::vector<h5::NewDataset> datasets() const;
  std::vector<h5::NewAttribute> all_attributes() const;
  std::vector<Block> share() const;
  std::exception_ptr write_contiguous(BlockSource& source, std::uint64_t& written);
  bool conclude(const std::exception_ptr& failure, std::uint64_t written);
  std::exception_ptr write_chunked(Session& session, std::uint64_t& written);
  void put(const formats::EncodedBlock& block);
  void commit_chunks();
  void complete(nlohmann::json& checksums, const std::vector<h5::NewAttribute>& late,
                const std::vector<LateTexts>& texts);
  void take_away() const;

  const mpi::Comm& writers_;
  const Job job_;
  Layout layout_;
  const std::string part_;
  std::vector<h5::codecs::Encoding> encodings_;
  std::vector<Block> blocks_;
  std::vector<std::uint64_t> offsets_;
  std::map<std::uint64_t, formats::BlockEntry> done_;
  bool made_ = false;  ///< by this run, from nothing
  std::uint64_t rows_before_ = 0, rows_done_ = 0;
  std::unique_ptr<h5::NewFile> file_;  ///< at the first writer, where chunks go
  std::unique_ptr<formats::BlockLog> log_;
  Watcher watcher_;
  std::uint64_t uncommitted_ = 0;
  formats::CommitPace pace_;
};

}  // namespace headrace::commands::writing
