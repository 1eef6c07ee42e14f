// The figures of a bench, as a table for people and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "service/staging.hpp"

namespace headrace::commands::bench {

/// One entry per repeat where a figure was measured several times; empty where it does not apply.
struct Figures {
  std::vector<double> gather_gbps, read_gbps, alltoallv_gbps;
  std::vector<double> load_gbps, delivered_gbps, samples_per_s;
  std::vector<double> delivered_of_gather, load_of_read, exchange_of_alltoallv;
  std::vector<double> disk_gbps;           ///< raw reads of the records that lie on disks
  double on_disk = 0;                      ///< their share of all
  std::vector<double> delivered_of_disk;   ///< of what disk or gather allow, whichever is less
  std::vector<double> wait_us;             ///< of every batch
  std::vector<double> trainer_wait_share;  ///< of the time of all trainers, which compute nothing
  std::vector<double> trainer_busy_share;  ///< not waiting, of the time of trainers that compute so long on each batch:
  double compute_seconds = 0, computed_gbps = 0;  ///< and what they take together when they never wait
  double reserve_s = 0, idle_cpu_percent = 0;
  std::uint64_t peak_rss_bytes = 0, slab_bytes = 0, rings_bytes = 0;
  std::uint64_t epochs = 0;
  bool exactly_once = false;
  std::string settings;  ///< what was measured, in words
};

std::string settings_text(const service::Staging& staging);
std::string table_of(const Figures& figures);
/// Error if the file cannot be written; it is there whole or not at all.
void write_json(const Figures& figures, const std::string& path);

/// UsageError where it could not be written there: better told before the minutes that measuring takes.
void require_place_for(const std::string& path);

}  // namespace headrace::commands::bench
