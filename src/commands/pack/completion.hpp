// A file whose rows are all written gets its ids and its name. Samples that were not to be had go: what is left moves
// together in another file, which then takes the place; until that has the output's name, all is still there for
// another try. Collective.
#pragma once

#include <cstdint>

#include "commands/pack/failures.hpp"
#include "commands/pack/kept_rows.hpp"
#include "commands/writing/file_writer.hpp"
#include "inventory/inventory.hpp"
#include "mpi/comm.hpp"

namespace headrace::commands::pack {

/// A dataset per field. UsageError where a field cannot be one.
writing::Layout layout_of(const Schema& schema, std::uint64_t samples);

class Completion {
 public:
  /// job: that of the writer, whose rows are those of the inventory.
  Completion(const mpi::Comm& all, const inventory::Inventory& inventory, const Schema& schema, writing::Job job,
             formats::Facts facts, writing::FileWriter& writer);

  /// UsageError where the file, or the list of what it lacks, would take the place of what is read. One stager.
  void require_no_input() const;
  /// What a run left that died while rows moved together. One stager.
  void remove_kept() const;
  /// Returns how many rows went.
  std::uint64_t run();

 private:
  bool is_first() const { return all_.rank() == 0; }
  void finish_without(const FailedRows& failed);
  void move_together(const FailedRows& failed);
  void list(const FailedRows& failed) const;
  bool beside_the_table(const std::string& path) const;
  h5::NewAttribute left_out(std::uint64_t rows) const;
  writing::LateTexts ids(const KeptRows* kept) const;

  const mpi::Comm& all_;
  const inventory::Inventory& inventory_;
  const Schema& schema_;
  const writing::Job job_;
  const formats::Facts facts_;
  writing::FileWriter& writer_;
  const std::string part_, kept_;
};

}  // namespace headrace::commands::pack
