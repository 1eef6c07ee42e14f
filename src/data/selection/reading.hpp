// What the configuration says about reading, as the reader takes it. Pure, but for the look at this process's cores.
#pragma once

#include "config/config.hpp"
#include "job/topology.hpp"
#include "reader/load.hpp"

namespace headrace::data::selection {

/// Workers of one stager: as many as were asked for, else its share of the node's cores.
unsigned worker_count(unsigned asked, std::uint32_t stagers_on_host);

reader::LoadOptions load_options(const config::Config& config, unsigned threads);

/// Gaps of at most so many samples are read along: within a chunk that is decoded anyway, and over short distances,
/// reading on is cheaper than beginning anew.
std::uint64_t gap_to_read(const catalog::Catalog& catalog);

}  // namespace headrace::data::selection
