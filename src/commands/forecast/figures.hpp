// What a forecast is made of and what it says: the data, rates of the machines, streams and nodes. Plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/fields/report.hpp"
#include "plan/blocks.hpp"
#include "plan/figures/flow.hpp"
#include "plan/selection.hpp"
#include "plan/windows.hpp"
#include "service/blueprint/need.hpp"
#include "service/blueprint/window_quality.hpp"

namespace headrace::commands::forecast {

/// Bytes per second of one node, but for disk_total. 0: not given.
struct Rates {
  double nic = 0;         ///< in each direction
  double disk = 0;        ///< that a node reads from the files
  double disk_total = 0;  ///< that all nodes together read
  double scratch = 0;     ///< at which a node's own disk gives rows at random
  double memory = 0;      ///< that all stagers of a node copy (bench: limit gather)
};

/// The data, as far as a forecast needs them.
struct DataFacts {
  data::fields::ConfigReport report;
  std::uint64_t chunk_rows = 1;  ///< of the largest chunk
  double file_bytes_a_sample = 0;
  plan::Blocks blocks{};  ///< that windows are made of; empty: the configuration wants none
};

struct Limit {
  std::string name;  ///< "NIC"
  double rate = 0;   ///< bytes per second that a node delivers if nothing else limits
};

struct StreamForecast {
  std::string name, note;             ///< note: what was assumed, if anything
  std::vector<std::string> brings{};  ///< what an epoch brings of each class, where that was counted
  std::optional<plan::Selection> members{};  ///< its samples; nothing: only the data know them
  std::uint64_t samples = 0, steps = 0;
  std::uint32_t batch = 0;
  plan::Flow flow;  ///< of the steps in flight
  std::uint64_t row_bytes = 0;
  /// Where it is shuffled in windows: these, and how far that is from a global shuffle.
  std::shared_ptr<const plan::Windows> windows{};
  std::optional<service::blueprint::WindowQuality> quality{};
  bool from_files = false;    ///< it is read from the files, epoch after epoch
  std::vector<Limit> limits;  ///< ascending
  double balance_nodes() const { return plan::balance(flow.from_node); }
  double balance_stagers() const { return plan::balance(flow.from_stager); }
  /// Of one node in one step, on average.
  double delivered() const;
  double remote() const;
  double requests() const;
  double remote_share() const;
  const Limit* bottleneck() const { return limits.empty() ? nullptr : &limits.front(); }
};

struct Forecast {
  plan::Machine machine;
  std::string name;
  std::uint64_t stored = 0, row_bytes = 0;
  service::blueprint::Need need;  ///< of the node with the most
  std::uint64_t memory = 0;       ///< of a node, as given; 0: not
  bool resident = true;
  bool on_disk = false;             ///< what does not fit lies on disks of the nodes (need.scratch)
  std::string window{};             ///< as it was asked for; "": none was
  std::string no_effect{};          ///< why the window changes nothing; "": it does, or none was asked for
  std::string smaller_blocks{};     ///< how these come about
  bool by_windows = false;          ///< what does not fit is read from the files, two windows of it in memory at a time
  std::string scratch{};            ///< the folder there
  std::uint64_t early_windows = 0;  ///< of epoch 0, which begins with the first of them; 0: it waits for all
  /// Of the samples, of the node with the most.
  double disk_share() const {
    return on_disk ? static_cast<double>(need.scratch) / static_cast<double>(need.store + need.scratch) : 0;
  }
  std::optional<std::uint32_t> enough;    ///< nodes that would hold all; nothing: no number would
  double load_bytes = 0;                  ///< of the files, of all nodes
  std::optional<double> load_s, first_s;  ///< reading; from the last byte read to the first batches everywhere
  std::string load_by;                    ///< what limits reading
  std::optional<double> first_window_s;   ///< reading, where epoch 0 begins early
  std::vector<StreamForecast> streams;
};

}  // namespace headrace::commands::forecast
