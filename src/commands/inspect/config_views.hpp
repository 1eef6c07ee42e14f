// `headrace inspect -c CONFIG`: the report on a configuration, for people and for programs.
#pragma once

#include <iosfwd>
#include <string>

#include "commands/inspect/regime_view.hpp"
#include "config/config.hpp"
#include "data/fields/report.hpp"

namespace headrace::commands::inspect {

/// all: each field has a line of its own; else many that are alike share one.
std::string as_table(const data::fields::ConfigReport& report, const RegimeView& regime, bool all);
std::string as_json(const data::fields::ConfigReport& report, const RegimeView& regime);

struct ConfigOptions {
  bool json = false;
  bool count = false;  ///< streams and classes also where that takes reading more than a gigabyte
  bool all = false;    ///< the table has a line for each field, however many
  data::fields::Plugins plugins = data::fields::Plugins::look_at;
  std::string plot{};  ///< path of a picture of what [resample] does; "": none
};

/// Tells the report, as a table for people or as JSON (described below). Returns the exit code.
///
///   {"files": [path], "samples", "sample_bytes",
///    "fields": [{"name", "source": [item], "operations": [text], "shape", "dtype", "bytes", "columns", "classes",
///                "unknown": [what is only known when served], "notes": [text]}],
///    "streams": [{"name", "samples" (null: counted when served), "why", "batch", "global_batch", "shuffle", "last",
///                 "epochs", ..., "classes": [what an epoch has of each class],
///                 "resampled" (null: not): [{"class", "there", "wanted", "distinct", "repeats", "most", "effective"}]}],
///    "shared": [{"streams": [name, name], "samples" (null: counted when served)}], "scratch", "window" ("": not),
///    "start": "early" or "loaded", "early_windows" (of epoch 0; 0: none), "warnings": [text]}
int inspect_config(const config::Config& config, const ConfigOptions& options, std::ostream& out);

}  // namespace headrace::commands::inspect
