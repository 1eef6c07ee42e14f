// All files of one call: one that all stagers write, or several, each by one stager, and a virtual one that names their
// rows as its own. Collective where FileWriter is.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/schema.hpp"
#include "commands/writing/file_writer.hpp"
#include "commands/writing/session.hpp"
#include "config/outputs.hpp"
#include "mpi/comm.hpp"

namespace headrace::commands::premix {

class Moments;

class Parts {
 public:
  Parts(const mpi::Comm& all, const config::OutputConfig& config, std::string path, Schema schema,
        std::uint64_t samples, std::vector<h5::NewAttribute> attributes);
  ~Parts();

  /// All files that hold samples: the output, and those that it is a name for.
  std::vector<std::string> paths() const;
  /// One stager, where what is there is to be replaced or gone on with: from here on paths() has also the files of an
  /// earlier run that will be taken away.
  void find_old();
  /// Before anything is read: makes or takes up what can be. Error where there is no room, where files are in the way,
  /// or what is to be resumed was another.
  void prepare(formats::Facts facts, bool resume, bool force);
  /// False: it was stopped.
  bool write(writing::Session& session);
  /// Gives the output its name.
  void finish();
  /// layout = "ftag": writes norm_dict.yaml and class_dict.yaml beside the output; those of another stream stay,
  /// and those of another file unless forced. Blocks that an earlier run wrote are gathered once more.
  void write_dictionaries(writing::Session& session);
  /// Takes away what prepare() made, unless there is something in it.
  void discard();
  /// The same for a process that ends at once: any thread, while nothing is written.
  void unlink() const;

  std::uint64_t samples() const { return samples_; }
  std::uint64_t row_bytes() const { return row_bytes_; }
  std::uint64_t bytes() const { return samples_ * row_bytes_; }
  /// That an earlier run wrote; that are written now, as far as is known here after write().
  std::uint64_t bytes_before() const { return rows_before_ * row_bytes_; }
  std::uint64_t bytes_done() const { return rows_done_ * row_bytes_; }

 private:
  bool several() const { return config_.premix.file_samples > 0; }
  std::string part_path(std::uint64_t number) const;
  std::uint64_t rows_of_part(std::uint64_t number) const;
  std::unique_ptr<writing::FileWriter> writer_of(const mpi::Comm& writers, const std::string& path, std::uint64_t first,
                                                 std::uint64_t rows) const;
  /// Bytes on the disk that an earlier run left, and that are not wanted again.
  std::uint64_t bytes_there(bool resume) const;
  std::vector<writing::Block> blocks() const;
  void prepare_several(bool resume, bool force);
  bool write_several(writing::Session& session);
  void write_master() const;
  /// Names of files of an earlier run that this one does not write.
  std::vector<std::string> stale() const;
  void remember_parts();
  void take_away_old_master() const;
  void remove_stale() const;
  std::string begin_of_dictionaries() const;
  std::string head_of_dictionaries() const;
  std::string path_of_dictionary(const std::string& name) const;
  /// UsageError where one is of the same stream in another file.
  void require_own_dictionaries() const;
  void write_dictionary(const std::string& name, const std::string& text) const;

  const mpi::Comm& all_;
  const mpi::Comm alone_;
  const config::OutputConfig& config_;
  const std::string path_, part_;
  const Schema schema_;
  const std::uint64_t samples_;
  std::uint64_t row_bytes_ = 0, block_rows_ = 0, rows_before_ = 0, rows_done_ = 0;
  std::vector<h5::NewAttribute> attributes_, late_;  ///< late: known at the end
  formats::Facts facts_;
  std::string run_;               ///< what facts_ are known by
  std::vector<std::string> old_;  ///< names, at the stager that looked
  bool force_ = false;
  std::unique_ptr<writing::FileWriter> writer_;  ///< of one file
  std::unique_ptr<Moments> moments_;  ///< of what write() writes, where dictionaries are wanted
  std::uint64_t parts_ = 1;
  std::vector<bool> finished_;  ///< of several: by an earlier run
  bool made_ = false;           ///< their journal: by this run
};

}  // namespace headrace::commands::premix
