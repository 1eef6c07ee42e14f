#include "data/selection/mixing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace headrace::data::selection {

namespace {

constexpr std::uint64_t most_positions = std::uint64_t{1} << 60;
/// Through all samples of a class in one epoch. The audit has a sum for each such pass.
constexpr std::uint64_t most_passes = std::uint64_t{1} << 24;

std::vector<std::uint64_t> shares_of(const config::Config& config, const config::MixConfig& mix,
                                     const std::vector<std::uint64_t>& samples) {
  if (mix.kind == config::MixConfig::Kind::proportion) return samples;
  std::vector<std::uint64_t> shares(config.classes.size(), 1);
  for (std::size_t c = 0; c < shares.size(); ++c)
    for (const auto& share : mix.shares)
      if (share.name == config.classes[c].name) shares[c] = share.share;
  return shares;
}

std::string times(std::uint64_t least, std::uint64_t most) {
  const auto word = [](std::uint64_t n) {
    return n == 1 ? std::string("once") : n == 2 ? std::string("twice") : fmt::format("{} times", n);
  };
  if (least == most) return "each " + word(least);
  if (least == 0) return "each at most " + word(most);
  return least == 1 && most == 2 ? "each once or twice" : fmt::format("each {} to {} times", least, most);
}

void require_few_passes(const config::Config& config, const config::StreamConfig& stream, const plan::Mix& mix) {
  for (std::uint32_t c = 0; c < mix.members.size(); ++c)
    if (const auto passes = mix.turns_of(c) / mix.members[c]; passes > most_passes)
      throw UsageError(
          fmt::format("stream '{}': an epoch of this mix would have {} samples, and bring each of class '{}' {} times "
                      "(shares and sizes of classes are too far apart); give epoch-size a number, or '{}' a smaller "
                      "share",
                      stream.name, mix.positions, config.classes[c].name, passes, config.classes[c].name));
}

}  // namespace

bool mixes(const config::StreamConfig& stream) {
  const auto& mix = stream.mix;
  const bool as_shuffled = mix.kind == config::MixConfig::Kind::proportion && mix.within == plan::Mix::Within::epoch &&
                           mix.epoch_size.kind != config::EpochSize::Kind::samples;
  return mix.kind != config::MixConfig::Kind::none && !as_shuffled;
}

std::shared_ptr<const plan::Mix> mix_of(const config::Config& config, const config::StreamConfig& stream,
                                        const std::vector<std::uint64_t>& samples) {
  if (samples.empty()) return nullptr;
  plan::Turns turns(shares_of(config, stream.mix, samples));
  std::uint64_t positions = stream.mix.epoch_size.samples;
  if (stream.mix.epoch_size.kind == config::EpochSize::Kind::shortest) positions = plan::shortest_epoch(turns, samples);
  if (stream.mix.epoch_size.kind == config::EpochSize::Kind::longest) positions = plan::longest_epoch(turns, samples);
  if (positions == 0 || positions > most_positions)
    throw UsageError(
        fmt::format("stream '{}': an epoch of this mix would have {} samples (shares and sizes of classes are "
                    "too far apart); give epoch-size a number",
                    stream.name, positions));
  plan::Mix mix{std::move(turns), stream.mix.within, positions, samples};
  require_few_passes(config, stream, mix);
  return std::make_shared<const plan::Mix>(std::move(mix));
}

std::vector<std::string> names_of(const std::vector<config::ClassConfig>& classes) {
  std::vector<std::string> names;
  for (const auto& one : classes) names.push_back(one.name);
  return names;
}

std::vector<std::string> lines_of(const plan::EpochOrder& order, const plan::Mix& mix,
                                  const std::vector<std::string>& classes) {
  const auto passes = order.passes();
  std::vector<std::string> lines;
  for (std::uint32_t c = 0; c < mix.members.size(); ++c)
    lines.push_back(fmt::format("{}: {} of {} samples, {}", classes[c], mix.turns_of(c), mix.members[c],
                                times(passes[c].whole, passes[c].whole + passes[c].parts)));
  return lines;
}

}  // namespace headrace::data::selection
