#include "service/books/stat_report.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/bytes.hpp"
#include "base/printable.hpp"

namespace headrace::service::books {

namespace {

using Json = nlohmann::json;

/// Steps since the beginning, for comparing positions.
std::uint64_t progress(const Json& trainer) {
  return trainer.value("epoch", 0ull) * std::max<std::uint64_t>(1, trainer.value("steps", 1ull)) +
         trainer.value("step", 0ull);
}

Json position(const Json& trainer) {
  return {{"epoch", trainer.at("epoch")}, {"step", trainer.at("step")}};
}

Json person(const Json& trainer) {
  Json who;
  for (const auto* key : {"rank", "who", "stager", "host", "epoch", "step", "trainer_wait", "stager_wait"})
    who[key] = trainer.at(key);
  return who;
}

double mean(const std::vector<Json>& trainers, const char* key) {
  double sum = 0;
  for (const auto& trainer : trainers) sum += trainer.value(key, 0.0);
  return trainers.empty() ? 0 : sum / static_cast<double>(trainers.size());
}

void complete(Json& stream, const std::vector<Json>& trainers) {
  if (trainers.empty()) return;
  const auto least = [&](auto figure) {
    return *std::min_element(trainers.begin(), trainers.end(),
                             [&](const Json& a, const Json& b) { return figure(a) < figure(b); });
  };
  const auto of = [](const char* key, double sign) {
    return [key, sign](const Json& trainer) { return sign * trainer.value(key, 0.0); };
  };
  const auto last = least(progress);
  const auto first = least([](const Json& trainer) { return -static_cast<double>(progress(trainer)); });
  stream.update({{"steps", last.at("steps")},
                 {"first", position(first)},
                 {"last", position(last)},
                 {"gbps", mean(trainers, "gbps") * static_cast<double>(trainers.size())},
                 {"trainer_wait", mean(trainers, "trainer_wait")},
                 {"stager_wait", mean(trainers, "stager_wait")},
                 {"slowest", person(least(of("trainer_wait", 1)))},
                 {"starved", person(least(of("trainer_wait", -1)))},
                 {"behind", person(last)}});
  stream["behind"]["steps_behind"] = progress(first) - progress(last);
}

std::string percent(double share) {
  return fmt::format("{:.1f} %", 100 * std::clamp(share, 0.0, 1.0));
}

std::string name_of(const Json& person) {
  return fmt::format("trainer {} ({})", person.value("rank", 0u), printable(person.value("who", "")));
}

std::string place(const Json& position) {
  return fmt::format("epoch {}, step {}", position.value("epoch", 0ull), position.value("step", 0ull));
}

/// What of a stream is in memory that is read window by window.
std::string window_text(const Json& stream) {
  if (!stream.contains("window")) return "";
  const auto& window = stream.at("window");
  const auto opened = window.value("opened", 0u);
  const auto number = window.value("window", 0ull) + 1, windows = window.value("windows", 0ull);
  const auto read = 100 * window.value("read", 0.0);
  const auto held_by = window.value("held_by", "");
  if (opened == 0)
    return fmt::format("  reading window {} of {} of epoch {}: {:.0f} %\n", number, windows,
                       window.value("epoch", 0ull), read);
  return fmt::format("  window {} of {} of epoch {} in memory{}, the next one {}\n", number, windows,
                     window.value("epoch", 0ull), held_by.empty() ? "" : " for " + printable(held_by),
                     opened > 1 ? "too" : fmt::format("{:.0f} % read", read));
}

/// How far samples are that are still being read.
std::string arrival_text(const Json& service) {
  if (!service.contains("arrival")) return "";
  const auto& arrival = service.at("arrival");
  return fmt::format("loading while epoch 0 runs: {} of {} windows in memory, window {}: {:.0f} % read\n",
                     arrival.value("opened", 0ull), arrival.value("windows", 0ull), arrival.value("window", 0ull) + 1,
                     100 * arrival.value("read", 0.0));
}

std::string stream_text(const Json& stream) {
  auto text = fmt::format("stream {}: {} samples, {} epochs complete{}\n", stream.value("name", ""),
                          stream.value("samples", 0ull), stream.value("epochs_complete", 0ull),
                          stream.value("exactly_once", true) ? "" : ", AUDIT FAILED");
  text += window_text(stream);
  if (!stream.contains("slowest")) return text + "  no trainers\n";
  const bool together = stream.at("first") == stream.at("last");
  text += fmt::format("  at {}{} of {}; {:.2f} GB/s\n", place(stream.at("last")),
                      together ? "" : " to " + place(stream.at("first")), stream.value("steps", 0ull),
                      stream.value("gbps", 0.0));
  text += fmt::format("  trainers wait {} of their time for batches, stagers {} for trainers\n",
                      percent(stream.value("trainer_wait", 0.0)), percent(stream.value("stager_wait", 0.0)));
  if (stream.value("attached", 0u) < 2) return text;
  const auto &slowest = stream.at("slowest"), &starved = stream.at("starved"), &behind = stream.at("behind");
  text += fmt::format("  slowest: {}, waits {}", name_of(slowest), percent(slowest.value("trainer_wait", 0.0)));
  if (const auto steps = behind.value("steps_behind", 0ull); steps > 0)
    text += fmt::format("; furthest back: {}, {} step{}", name_of(behind), steps, steps == 1 ? "" : "s");
  return text + fmt::format("\n  waits most: {}, {}, served by stager {} on {}\n", name_of(starved),
                            percent(starved.value("trainer_wait", 0.0)), starved.value("stager", 0u),
                            starved.value("host", ""));
}

/// Who of several they are, and who of them is behind: the ring turns with the slowest.
std::string replicas_text(const Json& trainer) {
  std::string text;
  const auto replicas = trainer.value("replicas", 1u);
  const auto here = trainer.value("here", Json::array());
  for (const auto& one : here)
    text += fmt::format("{:<10} {:>7} replica {} of {} ({}): {} batches taken, {} not given back{}\n", "", "",
                        one.value("replica", 0u), replicas, printable(one.value("who", "")), one.value("batches", 0ull),
                        one.value("unreturned", 0u), one.value("waiting", false) ? ", waits" : "");
  if (replicas > 1 && here.size() < replicas)
    text += fmt::format("{:<10} {:>7} {} of its {} replicas are not there\n", "", "", replicas - here.size(), replicas);
  return text;
}

std::string trainers_text(const Json& trainers, std::size_t rows) {
  if (trainers.empty()) return "";
  auto text = fmt::format("{:<10} {:>7} {:<28} {:>6} {:>9} {:>8} {:>7} {:>7} {:>6}\n", "stream", "trainer", "", "epoch",
                          "step", "GB/s", "waits", "waited", "ready");
  for (std::size_t g = 0; g < std::min(rows, trainers.size()); ++g) {
    const auto& trainer = trainers[g];
    text += fmt::format("{:<10} {:>7} {:<28} {:>6} {:>9} {:>8.2f} {:>7} {:>7} {:>6}\n", trainer.value("stream", ""),
                        trainer.value("rank", 0u), printable(trainer.value("who", "")), trainer.value("epoch", 0ull),
                        trainer.value("step", 0ull), trainer.value("gbps", 0.0),
                        percent(trainer.value("trainer_wait", 0.0)), percent(trainer.value("stager_wait", 0.0)),
                        trainer.value("ready", 0u)) +
            replicas_text(trainer);
  }
  if (trainers.size() > rows) text += fmt::format("and {} more (--json has all)\n", trainers.size() - rows);
  return text;
}

std::string nodes_text(const Json& nodes, std::size_t rows) {
  std::string text;
  for (std::size_t n = 0; n < std::min(rows, nodes.size()); ++n) {
    const auto& memory = nodes[n].at("memory");
    const auto of = [&](const char* key) { return format_bytes(memory.value(key, 0.0)); };
    text += fmt::format("memory on {}: {} samples, {} rings, {} of {} stager{} alone; {} available\n",
                        nodes[n].value("host", ""), of("store_bytes"), of("rings_bytes"), of("private_bytes"),
                        nodes[n].value("stagers", 0u), nodes[n].value("stagers", 0u) == 1 ? "" : "s",
                        of("available_bytes"));
    if (memory.value("scratch_bytes", 0ull) > 0)
      text += fmt::format("  and {} of samples on its disk, from which {} were read\n", of("scratch_bytes"),
                          of("scratch_read_bytes"));
    if (memory.value("window_read_bytes", 0ull) > 0)
      text += fmt::format("  and {} were read from files, window by window\n", of("window_read_bytes"));
    if (memory.value("retired_bytes", 0ull) > 0)
      text += fmt::format("  and {} of former rings, which others still have:\n", of("retired_bytes"));
    for (const auto& ring : nodes[n].value("retired", Json::array()))
      text += fmt::format("  {} of stream {}: {}\n", format_bytes(ring.value("bytes", 0.0)), ring.value("stream", ""),
                          ring.value("text", ""));
    for (const auto& stager : nodes[n].at("silent_stagers"))
      text += fmt::format("stager {} on {} does not answer\n", stager.get<unsigned>(), nodes[n].value("host", ""));
  }
  if (nodes.size() > rows) text += fmt::format("and {} more nodes (--json has all)\n", nodes.size() - rows);
  return text;
}

}  // namespace

std::optional<nlohmann::json> Collected::take(nlohmann::json answer) {
  if (answer.at("type") == "viewed") {
    answer.erase("type");
    answer.update({{"nodes_seen", std::move(nodes_)}, {"trainers", std::move(trainers_)}});
    return answer;
  }
  for (auto& trainer : answer.at("trainers")) trainers_.push_back(std::move(trainer));
  if (!answer.at("last")) return std::nullopt;
  for (const auto* key : {"type", "last", "trainers"}) answer.erase(key);
  nodes_.push_back(std::move(answer));
  return std::nullopt;
}

nlohmann::json summary(const nlohmann::json& view) {
  auto document = view;
  auto& trainers = document["trainers"];
  std::vector<Json> sorted(trainers.begin(), trainers.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const Json& a, const Json& b) {
    return std::pair(a.value("stream", ""), a.value("rank", 0u)) <
           std::pair(b.value("stream", ""), b.value("rank", 0u));
  });
  if (document.contains("service"))
    for (auto& stream : document["service"]["streams"]) {
      std::vector<Json> mine;
      std::copy_if(sorted.begin(), sorted.end(), std::back_inserter(mine),
                   [&](const Json& trainer) { return trainer.at("stream") == stream.at("name"); });
      stream["attached"] = mine.size();
      complete(stream, mine);
    }
  trainers = sorted;
  return document;
}

std::string stat_text(const nlohmann::json& summary, std::size_t rows) {
  auto text = fmt::format("service {}: {} node{}, {} stager{}", summary.value("name", ""), summary.value("nodes", 1u),
                          summary.value("nodes", 1u) == 1 ? "" : "s", summary.value("stagers", 1u),
                          summary.value("stagers", 1u) == 1 ? "" : "s");
  if (summary.contains("loading")) {
    const auto& loading = summary.at("loading");
    const double fraction = loading.value("fraction", -1.0);
    return text + ", " + loading.value("what", "starting") +
           (fraction >= 0 ? fmt::format(" ({:.0f} %)\n", 100 * fraction) : "\n");
  }
  const auto& service = summary.at("service");
  const auto ending = service.value("ending", "");
  text += fmt::format(", {} trainer{}{}\n", service.value("trainers", 0u),
                      service.value("trainers", 0u) == 1 ? "" : "s", ending.empty() ? "" : "; ending (" + ending + ")");
  text += arrival_text(service);
  for (const auto& stream : service.at("streams")) text += stream_text(stream);
  text += trainers_text(summary.at("trainers"), rows);
  text += nodes_text(summary.at("nodes_seen"), rows);
  for (const auto& host : summary.at("missing_nodes"))
    text += fmt::format("{} does not answer\n", host.get<std::string>());
  return text;
}

std::size_t rows_of_terminal() {
  winsize size{};
  constexpr std::size_t others = 12;  // lines that are not trainers, of a small service
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return 32;
  return std::max<std::size_t>(4, size.ws_row > others ? (size.ws_row - others) / 2u : 0);
}

std::string on_screen(const std::string& text) {
  std::string out = "\x1b[H";
  for (const char c : text) out += c == '\n' ? std::string("\x1b[K\n") : std::string(1, c);
  return out + "\x1b[J";
}

}  // namespace headrace::service::books
