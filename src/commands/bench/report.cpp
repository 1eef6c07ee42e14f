#include "commands/bench/report.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "ipc/own_files.hpp"

namespace headrace::commands::bench {

namespace {

/// The value below which the given part of the values lies.
double quantile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  const auto k = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + k, values.end());
  return values[static_cast<std::size_t>(k)];
}
double median(const std::vector<double>& values) {
  return quantile(values, 0.5);
}

nlohmann::json number_or_null(const std::vector<double>& values) {
  return values.empty() ? nlohmann::json() : nlohmann::json(median(values));
}

nlohmann::json range(const std::vector<double>& values) {
  if (values.empty()) return nullptr;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return {*least, *most};
}

std::string row(const char* name, const std::vector<double>& values, const char* unit) {
  if (values.empty()) return "";
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return fmt::format("  {:<34}{:>10.3f} {:<5} ({:.3f} .. {:.3f})\n", name, median(values), unit, *least, *most);
}

std::vector<double> percent(std::vector<double> shares) {
  for (auto& share : shares) share *= 100;
  return shares;
}

double memory_of_slab(const Figures& figures) {
  return static_cast<double>(figures.peak_rss_bytes) / std::max(1.0, static_cast<double>(figures.slab_bytes));
}

}  // namespace

std::string settings_text(const service::Staging& staging) {
  const auto& blueprint = staging.blueprint();
  const auto& topology = staging.topology();
  return fmt::format(
      "{} samples of {}, batch {}; {} stager(s) on {} node(s), {} worker(s) each, {} trainer(s), {} slots",
      blueprint.streams[0].samples, format_bytes(static_cast<double>(row_bytes(blueprint.schema))),
      blueprint.expected_batch(0), topology.stagers(), topology.nodes.size(), staging.threads(), blueprint.trainers,
      staging.blueprint().slots_of(staging.config(), 0));
}

std::string table_of(const Figures& f) {
  std::string text = f.settings + "\nmedians (and ranges)\n";
  text += row("limit: gather (memcpy)", f.gather_gbps, "GB/s");
  text += row("delivered", f.delivered_gbps, "GB/s");
  text += row("delivered of gather", f.delivered_of_gather, "");
  text += row("limit: disk (records read alone)", f.disk_gbps, "GB/s");
  if (!f.disk_gbps.empty()) text += fmt::format("  {:<34}{:>10.3f}\n", "samples on disk", f.on_disk);
  text += row("delivered of disk or gather", f.delivered_of_disk, "");
  text += row("samples", f.samples_per_s, "/s");
  text += row("limit: read (pread)", f.read_gbps, "GB/s");
  text += row("load", f.load_gbps, "GB/s");
  text += row("load of read", f.load_of_read, "");
  text += row("limit: alltoallv", f.alltoallv_gbps, "GB/s");
  text += row("exchange of alltoallv and gather", f.exchange_of_alltoallv, "");
  text += fmt::format("  {:<34}{:>10.1f} us    (p99 {:.1f})\n", "wait for a batch", quantile(f.wait_us, 0.5),
                      quantile(f.wait_us, 0.99));
  if (f.compute_seconds > 0)
    text += fmt::format("  trainers that compute {:g} ms a batch, so that they could take {:.3f} GB/s\n",
                        1e3 * f.compute_seconds, f.computed_gbps);
  text += row("their time not waiting", percent(f.trainer_busy_share), "%");
  text += fmt::format("  {:<34}{:>10.3f} s\n", "memory reserved in", f.reserve_s);
  text +=
      fmt::format("  {:<34}{:>10.3f}       ({} of {}; rings {})\n", "peak memory of slab bytes", memory_of_slab(f),
                  format_bytes(static_cast<double>(f.peak_rss_bytes)), format_bytes(static_cast<double>(f.slab_bytes)),
                  format_bytes(static_cast<double>(f.rings_bytes)));
  text += fmt::format("  {:<34}{:>10.2f} %     of a core\n", "a stager that nobody asks", f.idle_cpu_percent);
  text += fmt::format("  audit: {} epochs, {}\n", f.epochs, f.exactly_once ? "every sample exactly once" : "FAILED");
  return text;
}

void require_place_for(const std::string& path) {
  const auto folder = std::filesystem::absolute(path).parent_path();
  const bool other = std::filesystem::exists(path) && !std::filesystem::is_regular_file(path);
  if (other || access(folder.c_str(), W_OK) != 0)
    throw UsageError("--json " + path + " cannot be written; name a file in a folder that is there, and writable");
}

void write_json(const Figures& f, const std::string& path) {
  const nlohmann::json json{
      {"settings", f.settings},
      {"limits",
       {{"gather_gbps", number_or_null(f.gather_gbps)},
        {"read_gbps", number_or_null(f.read_gbps)},
        {"alltoallv_gbps", number_or_null(f.alltoallv_gbps)},
        {"disk_gbps", number_or_null(f.disk_gbps)},
        {"on_disk", f.on_disk}}},
      {"measured",
       {{"load_gbps", number_or_null(f.load_gbps)},
        {"delivered_gbps", number_or_null(f.delivered_gbps)},
        {"samples_per_s", number_or_null(f.samples_per_s)},
        {"reserve_s", f.reserve_s},
        {"batch_wait_us", {{"p50", quantile(f.wait_us, 0.5)}, {"p99", quantile(f.wait_us, 0.99)}}},
        {"trainer_wait_share", number_or_null(f.trainer_wait_share)},
        {"trainer_busy_share", number_or_null(f.trainer_busy_share)},
        {"compute_s", f.compute_seconds},
        {"computed_gbps", f.computed_gbps},
        {"idle_cpu_percent", f.idle_cpu_percent},
        {"peak_rss_bytes", f.peak_rss_bytes},
        {"slab_bytes", f.slab_bytes},
        {"rings_bytes", f.rings_bytes}}},
      {"ratios",
       {{"delivered_of_gather", number_or_null(f.delivered_of_gather)},
        {"delivered_of_disk", number_or_null(f.delivered_of_disk)},
        {"load_of_read", number_or_null(f.load_of_read)},
        {"exchange_of_alltoallv", number_or_null(f.exchange_of_alltoallv)},
        {"memory_of_slab", memory_of_slab(f)}}},
      {"ranges",
       {{"gather_gbps", range(f.gather_gbps)},
        {"read_gbps", range(f.read_gbps)},
        {"alltoallv_gbps", range(f.alltoallv_gbps)},
        {"disk_gbps", range(f.disk_gbps)},
        {"delivered_of_disk", range(f.delivered_of_disk)},
        {"load_gbps", range(f.load_gbps)},
        {"delivered_gbps", range(f.delivered_gbps)},
        {"trainer_busy_share", range(f.trainer_busy_share)},
        {"delivered_of_gather", range(f.delivered_of_gather)},
        {"load_of_read", range(f.load_of_read)},
        {"exchange_of_alltoallv", range(f.exchange_of_alltoallv)}}},
      {"audit", {{"epochs", f.epochs}, {"exactly_once", f.exactly_once}}}};
  try {
    ipc::Draft draft(path);
    draft.write(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    draft.put_in_place();
  } catch (const Error& error) {
    throw Error(fmt::format("cannot write {} ({}); is the folder there, and writable?", path, error.what()));
  }
}

}  // namespace headrace::commands::bench
