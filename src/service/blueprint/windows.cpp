#include "service/blueprint/windows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/bytes.hpp"
#include "base/contract.hpp"
#include "base/error.hpp"
#include "config/window_values.hpp"

namespace headrace::service::blueprint {

namespace {

using Kind = config::WindowConfig::Kind;

constexpr std::uint64_t quarter = 4;
constexpr std::uint64_t panes = 2;  // of windows in memory: the one in hand, and the next

/// Streams in windows, by what they have, the smallest first.
std::vector<std::size_t> by_size(const std::vector<StreamFacts>& streams, const WindowGround& ground) {
  std::vector<std::size_t> order;
  for (std::size_t s = 0; s < streams.size(); ++s)
    if (streams[s].shuffle == plan::Shuffle::global) order.push_back(s);
  std::ranges::stable_sort(order, {}, [&](std::size_t s) { return ground.samples[s]; });
  return order;
}

std::uint64_t part(std::uint64_t whole, std::uint64_t of, std::uint64_t all) {
  return static_cast<std::uint64_t>(static_cast<long double>(whole) * static_cast<long double>(of) /
                                    static_cast<long double>(all));
}

std::string shown(const config::WindowConfig& window) {
  return window.kind == Kind::bytes ? format_bytes(window.amount) : config::text_of(window);
}

}  // namespace

bool WindowShares::any() const {
  return straight || std::ranges::any_of(bytes, [](std::uint64_t amount) { return amount > 0; });
}

WindowShares share_window(const config::WindowConfig& window, const std::vector<StreamFacts>& streams,
                          const WindowGround& ground) {
  WindowShares shares{std::vector<std::uint64_t>(streams.size())};
  if (window.kind == Kind::none) return shares;
  const bool all_fit = ground.stored * ground.row_bytes <= ground.room;
  if (window.kind == Kind::automatic && all_fit) return shares;
  shares.straight = !all_fit && std::ranges::any_of(streams, [](const auto& stream) {
    return stream.shuffle == plan::Shuffle::none && !stream.mix && !stream.draw;
  });
  const auto block_bytes = ground.all_samples * ground.row_bytes / std::max<std::uint64_t>(1, ground.blocks);
  std::uint64_t bytes = window.kind == Kind::blocks  ? std::max<std::uint64_t>(1, window.amount * block_bytes)
                        : window.kind == Kind::bytes ? window.amount
                                                     : ground.room / panes;
  const auto little = (window.kind == Kind::automatic ? ground.room : bytes) / quarter;
  auto order = by_size(streams, ground);
  std::uint64_t taken = 0, large = 0;
  std::erase_if(order, [&](std::size_t s) {
    const auto has = ground.samples[s] * ground.row_bytes;
    if (taken + has <= little) {
      taken += has;
      return true;
    }
    large += has;
    return false;
  });
  if (window.kind == Kind::automatic) bytes = (ground.room - taken) / panes;
  for (const auto s : order) {
    const auto has = ground.samples[s] * ground.row_bytes;
    const auto share = window.kind == Kind::blocks ? bytes : std::max<std::uint64_t>(1, part(bytes, has, large));
    shares.bytes[s] = has <= share ? 0 : share;
  }
  return shares;
}

std::uint64_t rounded_down(std::uint64_t count) {
  EXPECTS(count > 0);
  const auto power = std::bit_floor(count);
  return power >= 2 && count >= power / 2 * 3 ? power / 2 * 3 : power;
}

std::uint64_t blocks_a_window(const config::WindowConfig& window, const std::string& stream, std::uint64_t share_bytes,
                              std::uint64_t stream_bytes, std::uint64_t filled, std::uint32_t stagers,
                              const std::string& smaller_blocks) {
  EXPECTS(window.kind != Kind::none && filled > 0);
  if (window.kind == Kind::blocks) return window.amount;
  const auto block = std::max<std::uint64_t>(1, stream_bytes / filled);
  auto blocks = share_bytes / block;
  // Blocks are uneven, and so are stagers' parts of a window: some room is left for that.
  if (window.kind == Kind::automatic) blocks -= std::min(blocks, std::uint64_t{2} * stagers);
  require(blocks > 0,
          fmt::format("window = {}: {} of it are for stream '{}', whose blocks have {} each, which leaves no room for "
                      "one; {}, or {}",
                      shown(window), format_bytes(share_bytes), stream, format_bytes(block),
                      window.kind == Kind::automatic ? "use more memory or nodes" : "choose a larger window",
                      smaller_blocks));
  return rounded_down(blocks);
}

std::string no_effect(const config::WindowConfig& window, std::uint64_t blocks, bool all_fit,
                      const std::string& smaller_blocks) {
  if (window.kind == Kind::none || blocks != 1 || (window.kind == Kind::automatic && all_fit)) return "";
  return fmt::format("window = {} has no effect, as all samples are one block; {}", shown(window), smaller_blocks);
}

void require_windows_possible(config::Start start, const config::StreamConfig& stream, const StreamFacts& facts,
                              bool mixes, bool joins) {
  const auto refuse = [&](const std::string& what, const std::string& instead) {
    if (start == config::Start::early)
      throw UsageError(fmt::format(
          "stream '{}': {} does not go with start = early (which delivers epoch 0 while the files are read); {}, or "
          "leave start out: memory, or a disk of each node (scratch = \"DIR\"), has all samples before the first batch",
          stream.name, what, instead));
    throw UsageError(fmt::format(
        "stream '{}': {} does not go with window (which has a part of the samples in memory at a time); {}, or name a "
        "folder on a disk of each node instead of window: scratch = \"DIR\"",
        stream.name, what, instead));
  };
  if (mixes)
    refuse("mix = " + config::text_of(stream.mix) + ", within = " + std::string(config::word(stream.mix.within)),
           "mix in proportion with within = epoch");
  if (facts.draw && facts.draw->redrawn()) refuse("[resample] redraw = epoch", "set redraw = never");
  if (joins) refuse("join", "join the tables beforehand");
}

void require_two_windows_hold(const StreamFacts& stream, std::uint32_t trainers, const std::string& way_out) {
  const auto batch = std::uint64_t{stream.schedule(trainers).batch()} * trainers;
  const auto& windows = *stream.windows;
  require(windows.two_hold(batch),
          fmt::format(
              "stream '{}': a global batch of {} samples ({} trainers) is larger than a window may be ({} samples; {} "
              "on average), so that some would be of three windows, of which two are in memory at a time; {}",
              stream.name, batch, trainers, windows.least_rows(), windows.size() / windows.count(), way_out));
}

void require_no_draws(const std::vector<StreamFacts>& streams) {
  for (const auto& stream : streams)
    require(!stream.draw, fmt::format("stream '{}' draws how often samples come, which cannot be beside streams that "
                                      "are read window by window; name a folder on a disk of each node instead "
                                      "(scratch = \"DIR\"), or use a service of its own for it",
                                      stream.name));
}

}  // namespace headrace::service::blueprint
