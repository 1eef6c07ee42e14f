#include "service/scratch_disk.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "log/log.hpp"
#include "mpi/agree.hpp"
#include "service/blueprint/residence.hpp"
#include "store/file_system.hpp"
#include "store/raw_reads.hpp"

namespace headrace::service {

namespace {

constexpr double probe_seconds = 0.25;
/// Rows that come at less than that part of what the disk gives in long reads wait for its operations.
constexpr double bound_by_operations = 0.5;

/// Samples of the node that some stream has. Where streams are read window by window, theirs have no rows any more; then
/// it may be a few less, of those that several streams share.
std::uint64_t stored_at_most(const blueprint::Blueprint& blueprint, const job::Node& node) {
  const auto end = node.first + node.stagers;
  if (!blueprint.by_windows()) {
    const auto rows = blueprint.rows_of_node(node);
    return std::accumulate(rows.begin(), rows.end(), std::uint64_t{0});
  }
  std::uint64_t members = 0;
  for (const auto& strata : blueprint.strata)
    for (const auto& set : strata.sets()) members += set.first_ordinals()[end] - set.first_ordinals()[node.first];
  return std::min(members, blueprint.placement.slab(end - 1).last - blueprint.placement.slab(node.first).first);
}

/// Records of each stager of this node.
std::vector<store::Records> records_of(const blueprint::Blueprint& blueprint, const job::Node& node) {
  const auto rows = blueprint.rows_of_node(node), in_memory = blueprint.rows_in_memory_of(node);
  std::vector<store::Records> all;
  for (std::size_t s = 0; s < rows.size(); ++s) all.emplace_back(blueprint.schema, rows[s] - in_memory[s]);
  return all;
}

std::string where(const config::Config& config, const job::Topology& topology) {
  return fmt::format("scratch = {} on {}", config.scratch, topology.here().host);
}

/// The leader's: the file of each stager.
std::vector<store::ScratchFile> make_files(const config::Config& config, const job::Topology& topology,
                                           const std::vector<store::Records>& records) {
  std::vector<store::ScratchFile> files;
  std::uint64_t bytes = 0;
  for (const auto& one : records) bytes += one.file_bytes();
  try {
    const auto file_system = store::file_system_of(config.scratch);
    require(file_system.kind != store::FileSystem::Kind::memory,
            fmt::format("that is {}, which is memory itself; name a folder of a disk", file_system.name));
    require(bytes <= file_system.free_bytes,
            fmt::format("{} of samples do not fit there ({} are free on this {}); make room, name another folder, or "
                        "use more nodes or memory",
                        format_bytes(bytes), format_bytes(file_system.free_bytes), file_system.name));
    for (const auto& one : records) files.push_back(store::ScratchFile::create(config.scratch, one.file_bytes()));
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", where(config, topology), error.what()));
  }
  return files;
}

/// What stands in the way of speed, once for all nodes. note: of this node, "" where there is nothing to say.
void warn_together(const job::Topology& topology, const std::string& note, const std::string& text) {
  std::map<std::string, std::vector<std::string>> hosts;
  const auto all = topology.all.allgather(topology.is_leader() ? note : std::string());
  for (std::size_t s = 0; s < all.size(); ++s)
    if (!all[s].empty()) hosts[all[s]].push_back(topology.nodes[topology.node_of(static_cast<std::uint32_t>(s))].host);
  if (topology.me() != 0) return;
  for (const auto& [said, names] : hosts) log::warn("{} {} {}", said, some_of(names), text);
}

void warn_of_files(const config::Config& config, const job::Topology& topology,
                   const std::vector<store::Scratch>& scratch) {
  // The leader's folder it is, which another process of the node need not reach.
  const auto network = mpi::together(topology.all, [&] {
    if (!topology.is_leader()) return std::string();
    const auto found = store::file_system_of(config.scratch);
    return found.kind == store::FileSystem::Kind::network
               ? fmt::format("scratch = {}: that is {} on", config.scratch, found.name)
               : std::string();
  });
  std::string cached;
  if (!std::ranges::all_of(scratch, [](const auto& one) { return one.file.direct(); }))
    cached = fmt::format("scratch = {}: direct reads are not possible there on", config.scratch);
  warn_together(topology, network,
                "(not a disk of the node itself: rows at random are slow over a network, and all nodes share it); "
                "name a folder of a local disk");
  warn_together(topology, cached, "(the page cache stands between, which costs processor time)");
}

/// Rows at random, of a stager's file.
std::vector<store::RowOfFile> some_rows(std::uint32_t file, std::uint64_t rows) {
  constexpr std::size_t many = 1 << 16;
  std::vector<store::RowOfFile> all(std::min<std::uint64_t>(rows, many));
  std::mt19937_64 random(file + 1);
  for (auto& one : all) one = {file, static_cast<std::uint32_t>(random() % rows)};
  return all;
}

}  // namespace

StoreBudgets store_budgets(const config::Config& config, const job::Topology& topology, std::uint64_t available,
                           std::uint64_t reserved) {
  const bool own_limit = config.memory > 0 && config.memory < available;
  const auto allowed = own_limit ? config.memory : available;
  const auto mine = allowed > reserved ? allowed - reserved : std::uint64_t{0};
  const auto left = topology.all.allgather(mine);
  // Where nobody has said how much, trainers and the page cache keep a half.
  const auto with_disk = topology.all.allgather(own_limit ? mine : mine / 2);
  StoreBudgets budgets;
  for (const auto& node : topology.nodes) {
    budgets.bytes.push_back(left[node.first]);
    budgets.with_disk.push_back(with_disk[node.first]);
  }
  return budgets;
}

std::vector<std::uint64_t> budgets_to_weigh(const config::Config& config, const StoreBudgets& budgets,
                                            std::uint64_t total_bytes) {
  const auto all = std::accumulate(budgets.bytes.begin(), budgets.bytes.end(), std::uint64_t{0});
  const bool elsewhere = !config.scratch.empty() || config.window.kind != config::WindowConfig::Kind::none;
  if (!elsewhere || total_bytes <= all) return budgets.bytes;
  return std::vector<std::uint64_t>(budgets.bytes.size(), total_bytes);
}

void settle_residence(const config::Config& config, const job::Topology& topology, const StoreBudgets& budgets,
                      blueprint::Blueprint& blueprint) {
  if (config.scratch.empty()) return;
  bool fits = true;
  for (std::size_t n = 0; n < topology.nodes.size(); ++n)
    fits =
        fits && store::Layout(blueprint.schema, blueprint.rows_of_node(topology.nodes[n])).bytes() <= budgets.bytes[n];
  if (fits) return;
  for (std::size_t n = 0; n < topology.nodes.size(); ++n) {
    const auto rows = blueprint.rows_of_node(topology.nodes[n]);
    auto room = budgets.with_disk[n];
    for (const auto count : rows)
      room -= std::min(room, blueprint::scratch_buffer_bytes(blueprint.schema, count, rows.size()));
    const auto in_memory = blueprint::rows_in_memory(blueprint.schema, rows, room);
    blueprint.in_memory.insert(blueprint.in_memory.end(), in_memory.begin(), in_memory.end());
  }
}

std::vector<store::Scratch> make_scratch(const config::Config& config, const blueprint::Blueprint& blueprint,
                                         const job::Topology& topology, host::Host& host) {
  const auto records = records_of(blueprint, topology.here());
  auto mine = mpi::together(topology.all, [&] {
    return topology.is_leader() ? make_files(config, topology, records) : std::vector<store::ScratchFile>();
  });
  std::vector<store::Scratch> scratch;
  mpi::together(topology.all, [&] {
    for (std::size_t s = 0; s < records.size(); ++s)
      scratch.push_back(
          {store::ScratchFile(host.share(topology.is_leader() ? mine[s].fd().duplicate() : ipc::Fd()), config.scratch),
           records[s]});
  });
  warn_of_files(config, topology, scratch);
  return scratch;
}

void tell_rate(const config::Config& config, const blueprint::Blueprint& blueprint, const job::Topology& topology,
               const store::NodeStore& store, host::Host& host) {
  const auto local = topology.local();
  const auto& mine = store.scratch()[local];
  const auto threads = store::ScratchReaders::threads_for(topology.here().stagers);
  topology.all.barrier();  // the stagers of a node share its disk: all at the same time
  const auto measured = mpi::together(topology.all, [&] {
    if (mine.records.rows() == 0 || mine.records.stride() == 0) return std::pair<store::RawRate, store::RawRate>{};
    const auto rows = some_rows(local, mine.records.rows());
    return std::pair{store::read_raw(store.scratch(), rows, threads, probe_seconds),
                     store::read_raw_pieces(mine, threads, probe_seconds / 2)};
  });
  const auto rate = [&](const store::RawRate& raw, std::uint64_t amount) {
    return topology.all.sum(raw.seconds > 0 ? static_cast<double>(amount) / raw.seconds : 0.0);
  };
  const auto of_rows = rate(measured.first, measured.first.bytes);
  const auto reads = rate(measured.first, measured.first.reads);
  const auto of_pieces = rate(measured.second, measured.second.bytes);
  const auto rows = std::accumulate(blueprint.in_memory.begin(), blueprint.in_memory.end(), std::uint64_t{0});
  const auto all = static_cast<double>(blueprint.placement.stored().size());
  const double on_disk = 1 - static_cast<double>(rows) / std::max(1.0, all);
  log::info(
      "scratch: {:.0f} % of the samples lie on {}; rows at random come from there at {}/s ({:.0f} reads/s), so "
      "that at most {}/s are delivered{}",
      100 * on_disk, topology.nodes.size() == 1 ? "disk" : fmt::format("{} disks", topology.nodes.size()),
      format_bytes(of_rows), reads, format_bytes(of_rows / std::max(on_disk, 1e-9)),
      topology.nodes.size() == 1 ? "" : " by all nodes together");
  if (of_rows < bound_by_operations * of_pieces)
    log::info(
        "  rows of {} wait for the disk's operations: in reads of 1 MiB it gives {}/s; more memory or more nodes "
        "help, and so do fewer, larger samples",
        format_bytes(row_bytes(blueprint.schema)), format_bytes(of_pieces));
  host.tell("scratch", {{"folder", config.scratch},
                        {"on_disk", on_disk},
                        {"rows_bytes_per_s", of_rows},
                        {"reads_per_s", reads},
                        {"pieces_bytes_per_s", of_pieces}});
}

std::string way_out_by_disk(const config::Config& config, const blueprint::Blueprint& blueprint,
                            const job::Node& node) {
  if (!config.scratch.empty()) return "";
  // Windows have given up the places that samples of their streams would have on a disk; both together cannot be.
  const bool windows = config.window.kind != config::WindowConfig::Kind::none;
  return fmt::format(
      "; or name a folder on a disk of each node{}, where what does not fit goes (up to {} here): "
      "scratch = \"DIR\"",
      windows ? " instead of window" : "", format_bytes(stored_at_most(blueprint, node) * row_bytes(blueprint.schema)));
}

}  // namespace headrace::service
