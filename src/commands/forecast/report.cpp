#include "commands/forecast/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.hpp"

namespace headrace::commands::forecast {

namespace {

std::string bytes(double amount) {
  return format_bytes(amount);
}
std::string bytes(std::uint64_t amount) {
  return format_bytes(static_cast<double>(amount));
}
const char* s_if(std::uint64_t count) {
  return count == 1 ? "" : "s";
}

bool shuffled_as_a_whole(const Forecast& f) {
  return std::ranges::none_of(f.streams, [](const auto& stream) { return stream.windows != nullptr; });
}

/// What an early start makes of epoch 0.
std::string early_text(const Forecast& f) {
  if (f.early_windows == 0) return "";
  return fmt::format(
      "; start = early: epoch 0 is shuffled in {} windows and delivered as they are read, later ones "
      "exactly and globally",
      f.early_windows);
}

std::string regime_text(const Forecast& f) {
  if (f.resident && f.memory == 0)
    return fmt::format("resident where a node gives {} (--memory says what it has){}", bytes(f.need.total()),
                       shuffled_as_a_whole(f) ? ": every epoch is shuffled exactly and globally" : early_text(f));
  if (f.resident)
    return fmt::format("resident: the samples fit the memory of the nodes{}",
                       shuffled_as_a_whole(f) ? ", so every epoch is shuffled exactly and globally" : early_text(f));
  if (f.on_disk) {
    return fmt::format(
        "scratch: {:.0f} % of the samples stay in memory, {} lie on a disk of each node ({}), which "
        "delivers {:.2f} times what it reads at random; every epoch is shuffled exactly and globally",
        100 * (1 - f.disk_share()), bytes(f.need.scratch), f.scratch, 1 / std::max(f.disk_share(), 1e-9));
  }
  if (f.by_windows)
    return fmt::format(
        "window: the files are read epoch after epoch, two windows of what is shuffled at once are in memory ({} of {} "
        "samples on a node)",
        bytes(f.need.store), bytes(f.stored * f.row_bytes / f.machine.nodes));
  const auto short_of = fmt::format("not resident: a node needs {} and has {}", bytes(f.need.total()), bytes(f.memory));
  if (!f.enough)
    return short_of + "; rings and buffers alone do not fit: fewer slots, trainers-per-node or a smaller batch";
  if (!f.scratch.empty()) return short_of + ", which is too little for a part of the samples, too; raise memory";
  if (!f.window.empty())
    return short_of +
           fmt::format("; {} nodes like these would hold all, and so would scratch = DIR on a disk of each instead of "
                       "window; or {}{}",
                       *f.enough,
                       !f.no_effect.empty() ? ""
                       : f.window == "auto" ? "use more memory, or "
                                            : "choose a smaller window, or ",
                       f.smaller_blocks);
  return short_of + fmt::format(
                        "; {} nodes like these would hold all, and so would scratch = DIR on a disk of each; or window "
                        "= auto, which shuffles a part of the samples at a time",
                        *f.enough);
}

std::string stream_text(const StreamForecast& s, const plan::Machine& machine) {
  auto text = fmt::format("stream {}: {} samples, {} steps of {} for each of {} trainer{}\n", s.name, s.samples,
                          s.steps, s.batch, machine.trainers(), s_if(machine.trainers()));
  if (!s.note.empty()) text += fmt::format("  assumed      {}\n", s.note);
  if (s.quality)
    for (const auto& line : service::blueprint::lines_of(*s.quality)) text += fmt::format("  window       {}\n", line);
  for (const auto& line : s.brings) text += fmt::format("  epoch 0      {}\n", line);
  text +=
      fmt::format("  a step       {} delivered on a node, {} of it ({:.1f} %) from other nodes in {:.0f} messages\n",
                  bytes(s.delivered()), bytes(s.remote()), 100 * s.remote_share(), s.requests());
  text += fmt::format("  balance      {:.3f} over nodes, {:.3f} over stagers (most over mean, {} steps in flight)\n",
                      s.balance_nodes(), s.balance_stagers(), s.flow.steps);
  if (const auto* bottleneck = s.bottleneck()) {
    text += fmt::format("  expected     {}/s on a node, {}/s in all, {:.0f} steps/s; the bottleneck is {}\n",
                        bytes(bottleneck->rate), bytes(bottleneck->rate * machine.nodes),
                        bottleneck->rate / s.delivered(), bottleneck->name);
    for (const auto& limit : s.limits)
      text += fmt::format("               {} allows {}/s\n", limit.name, bytes(limit.rate));
  }
  return text;
}

}  // namespace

std::string text_of(const Forecast& f) {
  auto text = fmt::format("{}: {} node{}, each with {} stager{} and {} trainer{}\n", f.name, f.machine.nodes,
                          s_if(f.machine.nodes), f.machine.stagers_per_node, s_if(f.machine.stagers_per_node),
                          f.machine.trainers_per_node, s_if(f.machine.trainers_per_node));
  text +=
      fmt::format("samples      {} of {}, {} in all\n", f.stored, bytes(f.row_bytes), bytes(f.stored * f.row_bytes));
  text += fmt::format("regime       {}\n", regime_text(f));
  if (!f.no_effect.empty()) text += fmt::format("window       {}\n", f.no_effect);
  text += fmt::format("memory       {} on the fullest node: {} samples, {} rings, {} buffers\n", bytes(f.need.total()),
                      bytes(f.need.store), bytes(f.need.rings), bytes(f.need.buffers));
  for (const auto& stream : f.streams) text += stream_text(stream, f.machine);
  if (f.first_window_s)
    text += fmt::format("first batch  after {:.1f} s: 1 of {} windows of {} read at the rate of the {} ({:.1f} s)\n",
                        *f.first_window_s + f.first_s.value_or(0), f.early_windows, bytes(f.load_bytes), f.load_by,
                        *f.load_s);
  else if (f.load_s)
    text += fmt::format("first batch  after {:.1f} s: {} read at the rate of the {}{}\n",
                        *f.load_s + f.first_s.value_or(0), bytes(f.load_bytes), f.load_by,
                        f.first_s ? fmt::format(" ({:.1f} s), first step {:.3f} s", *f.load_s, *f.first_s) : "");
  if (!f.load_s || !f.first_s) text += "give --nic, --disk and --memory-rate for expected rates and times\n";
  return text;
}

nlohmann::json json_of(const Forecast& f) {
  using Json = nlohmann::json;
  const auto maybe = [](const auto& value) { return value ? Json(*value) : Json(); };
  auto streams = Json::array();
  for (const auto& s : f.streams) {
    auto limits = Json::object();
    for (const auto& limit : s.limits) limits[limit.name] = limit.rate;
    streams.push_back(
        {{"name", s.name},
         {"assumed", s.note},
         {"epoch_0", s.brings},
         {"window", s.quality ? service::blueprint::json_of(*s.quality) : Json()},
         {"samples", s.samples},
         {"steps", s.steps},
         {"batch", s.batch},
         {"of_a_node_and_step",
          {{"delivered_bytes", s.delivered()}, {"remote_bytes", s.remote()}, {"requests", s.requests()}}},
         {"balance", {{"nodes", s.balance_nodes()}, {"stagers", s.balance_stagers()}, {"steps", s.flow.steps}}},
         {"limits_bytes_per_s", std::move(limits)},
         {"bottleneck", s.bottleneck() ? Json(s.bottleneck()->name) : Json()},
         {"node_bytes_per_s", s.bottleneck() ? Json(s.bottleneck()->rate) : Json()}});
  }
  return {{"name", f.name},
          {"nodes", f.machine.nodes},
          {"stagers_per_node", f.machine.stagers_per_node},
          {"trainers_per_node", f.machine.trainers_per_node},
          {"samples", f.stored},
          {"row_bytes", f.row_bytes},
          {"regime", f.resident     ? "resident"
                     : f.on_disk    ? "scratch"
                     : f.by_windows ? "window"
                                    : "none"},
          {"start", f.early_windows > 0 ? "early" : "loaded"},
          {"enough_nodes", maybe(f.enough)},
          {"memory",
           {{"given", f.memory == 0 ? Json() : Json(f.memory)},
            {"needed", f.need.total()},
            {"store", f.need.store},
            {"rings", f.need.rings},
            {"buffers", f.need.buffers},
            {"scratch", f.need.scratch}}},
          {"load",
           {{"bytes", f.load_bytes}, {"seconds", maybe(f.load_s)}, {"first_window_seconds", maybe(f.first_window_s)}}},
          {"first_step_s", maybe(f.first_s)},
          {"streams", std::move(streams)}};
}

}  // namespace headrace::commands::forecast
