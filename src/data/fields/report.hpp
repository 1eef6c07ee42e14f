// `headrace inspect -c CONFIG`: what trainers will receive. Needs no MPI launch, and reads no
// more than the columns that decide which samples streams have, and labels without classes.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "base/schema.hpp"
#include "service/config.hpp"
#include "service/field_resolve.hpp"
#include "service/options_value.hpp"
#include "service/plan_fields.hpp"

namespace headrace::service {

/// One array of a batch, and where it comes from.
struct FieldReport {
  Field field;
  std::vector<std::string> source;      ///< items; of a mask: none
  std::vector<std::string> operations;  ///< "scale 150", "float16", in their order
  std::vector<std::string> unknown;     ///< what is only known when the data are read: "classes"
  std::vector<std::string> notes = {};  ///< sentences for people
};

struct StreamReport {
  StreamConfig config;
  std::optional<std::uint64_t> samples;  ///< nothing: counted when served
  std::string why;                       ///< why the data must be asked; "": they need not
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
  std::uint64_t sample_bytes() const;
};

/// Opens the files and resolves every field. Throws UsageError with all mistakes of fields and streams together.
/// Counts what only the data can tell where no more than most_bytes have to be read for it.
ConfigReport report_on(const Config& config, std::uint64_t most_bytes = 0, Plugins plugins = Plugins::look_at);

/// For a configuration that has `mistakes`: adds what is wrong with it against its files, as far as that can be said.
/// Nothing that only follows from what is known to be wrong. Opens a few of the files, loads no plugin.
void check_against_files(const Config& config, Mistakes& mistakes);

/// In words, in the order in which they are done.
std::vector<std::string> operations(const FieldConfig& field, const ResolvedField& resolved);

/// all: each field has a line of its own; else many that are alike share one.
std::string as_table(const ConfigReport& report, bool all);
std::string as_json(const ConfigReport& report);

struct ConfigOptions {
  bool json = false;
  bool count = false;  ///< streams and classes also where that takes reading more than a gigabyte
  bool all = false;    ///< the table has a line for each field, however many
  Plugins plugins = Plugins::look_at;
};

/// Tells the report, as a table for people or as JSON (described below). Returns the exit code.
///
///   {"files": [path], "samples", "sample_bytes",
///    "fields": [{"name", "source": [item], "operations": [text], "shape", "dtype", "bytes", "columns", "classes",
///                "unknown": [what is only known when served], "notes": [text]}],
///    "streams": [{"name", "samples" (null: counted when served), "why", "batch", "global_batch", "shuffle", "last",
///                 "epochs"}],
///    "shared": [{"streams": [name, name], "samples" (null: counted when served)}], "warnings": [text]}
int inspect_config(const Config& config, const ConfigOptions& options, std::ostream& out);

}  // namespace headrace::service
