// The figures of one node in Prometheus' text format, for the textfile collector of a node exporter: written every few
// seconds, whole or not at all, and removed at the end. Host's thread only.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "config/config.hpp"
#include "job/topology.hpp"
#include "service/books/figures.hpp"

namespace headrace::service::host {

/// The file of node `node`: `metrics` with %h replaced by the host's name. No two nodes write the same file, whatever
/// they share: where hosts differ and there is no %h, the host's name goes before the ending (head.n03.prom), and where
/// hosts are called alike, ".k" for the k-th node after the first. Empty where there is none.
std::string metrics_path(const config::Config& config, const std::vector<job::Node>& nodes, std::uint32_t node);
/// Whether the path has a place for the host's name.
bool names_node(const std::string& path);

/// views: of one node, as Views::of_node gives them. arrival: where trainers are served while samples come to memory,
/// how many windows are open here.
std::string metrics_text(const std::string& service, const std::vector<nlohmann::json>& views,
                         const std::optional<books::ArrivalFigures>& arrival = std::nullopt);

class MetricsFile {
 public:
  static constexpr std::chrono::seconds write_every{5};

  /// Error if a file cannot be written there. An empty path: never due.
  explicit MetricsFile(std::string path);
  ~MetricsFile() { remove(); }
  MetricsFile(const MetricsFile&) = delete;
  MetricsFile& operator=(const MetricsFile&) = delete;

  /// Whether it is time to write; if so, it is not again for a while.
  bool take_turn(Clock::time_point now);
  void write(const std::string& text);
  /// For good.
  void remove() noexcept;

 private:
  std::string path_;
  bool written_ = false, failure_told_ = false;
  std::optional<Clock::time_point> last_turn_;
};

}  // namespace headrace::service::host
