// What decides the order and the content of a stream's batches, in a few short texts: a trainer's saved position means
// the same samples as long as they are the same. Pure but for small files that the configuration names; any thread.
//
//   files    names without folders, sizes, checksums of their first 64 KiB, numbers of samples; datasets, their types
//            and shapes. No times: files are copied from disk to disk. Of a virtual file, its own: not those that are
//            read in its place.
//   fields   all keys of all fields, and what stands in their scale files
//   stream   name, selection, conditions, split, shuffle, last
//   seed     the number itself
//   window   how many windows of how many blocks of which size, where the stream is shuffled in some
//   start    the same, where only epoch 0 is
//
// Batch sizes are not part of it: a trainer's state holds the global batch as a number, and positions can be converted.
#pragma once

#include <map>
#include <string>

#include "catalog/catalog.hpp"
#include "config/config.hpp"
#include "service/blueprint/stream_facts.hpp"

namespace headrace::service::blueprint {

using Fingerprint = std::map<std::string, std::string>;

Fingerprint fingerprint_of(const config::Config& config, const config::StreamConfig& stream,
                           const catalog::Catalog& catalog);

/// What of windows decides the order of the stream; "" where there are none.
std::string text_of_windows(const config::Config& config, const StreamFacts& facts);
/// What of an early start decides the order of epoch 0; "" where it does not.
std::string text_of_start(const config::Config& config, const StreamFacts& facts);

}  // namespace headrace::service::blueprint
