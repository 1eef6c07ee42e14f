// What decides the bytes of what is written: an interrupted run may only go on where all of it is the same. Pure but
// for small files that the configuration names.
#pragma once

#include <cstdint>
#include <string>

#include "catalog/catalog.hpp"
#include "config/outputs.hpp"
#include "formats/journal.hpp"

namespace headrace::commands::writing {

/// Keys of the configuration that count for this stream, and what the files are known by.
/// section: "premix" or "export", whose keys count.
formats::Facts facts_of(const config::OutputConfig& config, const config::StreamConfig& stream,
                        const catalog::Catalog& catalog, const std::string& section);

/// A short text that two runs share only where all of these facts are the same; those that decide nothing do not count.
std::string fingerprint_of(const formats::Facts& facts);

/// What the output tells of itself: configuration (JSON), stream, sources (JSON).
struct Origin {
  std::string config, stream, sources;
  std::uint64_t seed = 0;
};
Origin origin_of(const config::OutputConfig& config, const config::StreamConfig& stream, const catalog::Catalog& catalog);

}  // namespace headrace::commands::writing
