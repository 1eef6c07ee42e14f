#include "data/selection/reading.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "reader/known_files.hpp"

namespace headrace::data::selection {

namespace {

/// Between samples that are wanted: shorter gaps are read along.
constexpr std::uint64_t gap_bytes = 64u << 10;

reader::Io io_of(config::IoMode mode) {
  switch (mode) {
    case config::IoMode::collective:
      return reader::Io::collective;
    case config::IoMode::direct:
      return reader::Io::direct;
    case config::IoMode::automatic:
      break;
  }
  return reader::Io::automatic;
}

}  // namespace

unsigned worker_count(unsigned asked, std::uint32_t stagers_on_host) {
  if (asked > 0) return asked;
  cpu_set_t mine;
  CPU_ZERO(&mine);
  sched_getaffinity(0, sizeof mine, &mine);
  const auto cores = static_cast<unsigned>(std::max(1, CPU_COUNT(&mine)));
  // A launcher that binds has already divided the node's cores among the stagers.
  const bool bound = static_cast<long>(cores) < sysconf(_SC_NPROCESSORS_ONLN);
  return std::max(1u, bound ? cores : cores / stagers_on_host);
}

reader::LoadOptions load_options(const config::Config& config, unsigned threads) {
  reader::LoadOptions options;
  options.io = io_of(config.io);
  options.threads = threads;
  options.known = std::make_shared<reader::KnownFiles>();
  return options;
}

std::uint64_t gap_to_read(const catalog::Catalog& catalog) {
  return std::max<std::uint64_t>(catalog.largest_chunk(), gap_bytes / std::max<std::uint64_t>(1, catalog.row_bytes()));
}

}  // namespace headrace::data::selection
