// What trainers will receive, told before anything is served. Needs no MPI launch, and reads no more than the columns
// that decide which samples streams have, and labels without classes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/schema.hpp"
#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "config/value.hpp"
#include "data/fields/resolve_all.hpp"
#include "data/selection/drawing.hpp"
#include "mpi/session.hpp"

namespace headrace::data::fields {

/// One array of a batch, and where it comes from.
struct FieldReport {
  Field field;
  std::vector<std::string> source;      ///< items; of a mask: none
  std::vector<std::string> operations;  ///< "scale 150", "float16", in their order
  std::vector<std::string> unknown;     ///< what is only known when the data are read: "classes"
  std::vector<std::string> notes = {};  ///< sentences for people
};

struct StreamReport {
  config::StreamConfig config;
  std::optional<std::uint64_t> samples;  ///< of an epoch; nothing: counted when served
  std::string why;                       ///< why the data must be asked; "": they need not
  std::vector<std::string> mix{};        ///< what epoch 0 has of each class, a line each, where they are counted
  selection::StreamDraw draw{};          ///< how often its samples come, where that was counted
};

/// Two streams that have samples in common, or may have.
struct SharedReport {
  std::string first, second;
  std::optional<std::uint64_t> samples;  ///< nothing: counted when served
};

struct ConfigReport {
  std::vector<std::string> files;
  std::uint64_t samples = 0;
  std::vector<FieldReport> fields;
  std::vector<StreamReport> streams;
  std::vector<std::string> warnings;  ///< what serving will warn of
  std::vector<SharedReport> shared;
  std::string scratch{};                    ///< folder of a disk, where one is given
  catalog::Contents contents{};             ///< of the files
  catalog::Catalog catalog{};               ///< of the datasets with one row a sample that the fields need
  std::shared_ptr<mpi::Session> session{};  ///< begun to count what only the data tell; null: nothing was read
  std::uint64_t sample_bytes() const;
};

/// Opens the files and resolves every field. Throws UsageError with all mistakes of fields and streams together.
/// Counts what only the data can tell where no more than most_bytes have to be read for it.
ConfigReport report_on(const config::Config& config, std::uint64_t most_bytes = 0, Plugins plugins = Plugins::look_at);

/// For a configuration that has `mistakes`: adds what is wrong with it against its files, as far as that can be said.
/// Nothing that only follows from what is known to be wrong. Opens a few of the files, loads no plugin.
void check_against_files(const config::Config& config, config::Mistakes& mistakes);

/// In words, in the order in which they are done.
std::vector<std::string> operations(const config::FieldConfig& field, const ResolvedField& resolved);

}  // namespace headrace::data::fields
