#include "service/host/metrics_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.hpp"
#include "ipc/own_files.hpp"
#include "log/log.hpp"

namespace headrace::service::host {

namespace {

/// A figure that each trainer has.
struct Metric {
  const char *key, *name, *type, *help;
};
constexpr Metric metrics[] = {
    {"epoch", "epoch", "gauge", "Epoch of the first batch not yet released."},
    {"step", "step", "gauge", "Step of the first batch not yet released."},
    {"batches", "batches_total", "counter", "Batches taken by the trainer."},
    {"bytes", "bytes_total", "counter", "Bytes of the batches taken by the trainer."},
    {"ready", "ready_batches", "gauge", "Batches that wait for the trainer."},
    {"trainer_wait_s", "trainer_wait_seconds_total", "counter", "Time in which the trainer waited for a batch."},
    {"stager_wait_s", "stager_wait_seconds_total", "counter", "Time in which every slot was the trainer's."},
};

/// A label's value: backslash, quote and line feed are escaped.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out + "\"";
}

std::string head(const std::string& name, const char* type, const char* help) {
  return fmt::format("# HELP headrace_{0} {1}\n# TYPE headrace_{0} {2}\n", name, help, type);
}

}  // namespace

namespace {

std::string with_suffix(const std::string& path, const std::string& suffix) {
  std::filesystem::path whole(path);
  return whole.replace_filename(whole.stem().string() + "." + suffix + whole.extension().string()).string();
}

/// The file of a host; the same for nodes whose hosts are called alike.
std::string path_on(const std::string& host, const config::Config& config, bool several_hosts) {
  auto path = config.metrics;
  if (!names_node(path)) return several_hosts ? with_suffix(path, host) : path;
  for (std::size_t at = 0; (at = path.find("%h", at)) != std::string::npos; at += host.size())
    path.replace(at, 2, host);
  return path;
}

}  // namespace

bool names_node(const std::string& path) {
  return path.find("%h") != std::string::npos;
}

std::string metrics_path(const config::Config& config, const std::vector<job::Node>& nodes, std::uint32_t node) {
  if (config.metrics.empty()) return "";
  const auto& host = nodes[node].host;
  const auto is_mine = [&](const job::Node& other) { return other.host == host; };
  const auto path = path_on(host, config, !std::all_of(nodes.begin(), nodes.end(), is_mine));
  const bool first = std::none_of(nodes.begin(), nodes.begin() + node, is_mine);
  return first ? path : with_suffix(path, std::to_string(node));
}

std::string metrics_text(const std::string& service, const std::vector<nlohmann::json>& views,
                         const std::optional<books::ArrivalFigures>& arrival) {
  const auto label = "service=" + quoted(service);
  auto text = head("memory_bytes", "gauge", "Memory of the service on this node.");
  for (const auto* part : {"store", "rings", "retired", "private"})
    text += fmt::format("headrace_memory_bytes{{{},part=\"{}\"}} {}\n", label, part,
                        views.front().at("memory").at(fmt::format("{}_bytes", part)).get<std::uint64_t>());
  if (const auto& memory = views.front().at("memory"); memory.value("scratch_bytes", 0ull) > 0) {
    text += head("scratch_bytes", "gauge", "Samples on the disk of this node.");
    text += fmt::format("headrace_scratch_bytes{{{}}} {}\n", label, memory.at("scratch_bytes").get<std::uint64_t>());
    text += head("scratch_read_bytes_total", "counter", "Bytes read from there.");
    text += fmt::format("headrace_scratch_read_bytes_total{{{}}} {}\n", label,
                        memory.at("scratch_read_bytes").get<std::uint64_t>());
  }
  if (const auto read = views.front().at("memory").value("window_read_bytes", 0ull); read > 0) {
    text += head("window_read_bytes_total", "counter", "Bytes read from files, window by window.");
    text += fmt::format("headrace_window_read_bytes_total{{{}}} {}\n", label, read);
  }
  if (arrival) {
    text += head("arrival_windows", "gauge", "Windows in which samples come to memory while epoch 0 runs.");
    text += fmt::format("headrace_arrival_windows{{{}}} {}\n", label, arrival->windows);
    text += head("arrival_windows_open", "gauge", "Those that are in memory.");
    text += fmt::format("headrace_arrival_windows_open{{{}}} {}\n", label, arrival->opened);
  }
  text += head("stagers", "gauge", "Stagers on this node.");
  text += fmt::format("headrace_stagers{{{}}} {}\n", label, views.front().at("stagers").get<unsigned>());
  std::size_t trainers = 0;
  for (const auto& view : views) trainers += view.at("trainers").size();
  text += head("trainers", "gauge", "Trainers attached on this node, one per stream.");
  text += fmt::format("headrace_trainers{{{}}} {}\n", label, trainers);
  if (trainers == 0) return text;
  for (const auto& metric : metrics) {
    text += head(metric.name, metric.type, metric.help);
    for (const auto& view : views)
      for (const auto& trainer : view.at("trainers"))
        text += fmt::format("headrace_{}{{{},stream={},rank=\"{}\"}} {}\n", metric.name, label,
                            quoted(trainer.at("stream")), trainer.at("rank").get<unsigned>(),
                            trainer.at(metric.key).dump());
  }
  return text;
}

MetricsFile::MetricsFile(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  ipc::require_replaceable(path_, "metrics = " + path_);
}

bool MetricsFile::take_turn(Clock::time_point now) {
  if (path_.empty() || (last_turn_ && now - *last_turn_ < write_every)) return false;
  last_turn_ = now;
  return true;
}

void MetricsFile::write(const std::string& text) {
  if (path_.empty()) return;
  written_ = true;
  try {
    ipc::Draft draft(path_);  // the exporter takes files that end in .prom only
    draft.write(text);
    draft.put_in_place();
    failure_told_ = false;
  } catch (const Error& error) {
    if (!std::exchange(failure_told_, true)) log::warn("metrics = {} was not written ({})", path_, error.what());
  }
}

void MetricsFile::remove() noexcept {
  if (written_) std::remove(path_.c_str());
  path_.clear();
}

}  // namespace headrace::service::host
