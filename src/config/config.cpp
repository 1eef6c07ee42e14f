#include "config/config.hpp"

#include <fmt/format.h>

#include <string>

namespace headrace::config {

std::string_view word(IoMode mode) {
  switch (mode) {
    case IoMode::automatic:
      return "auto";
    case IoMode::collective:
      return "collective";
    case IoMode::direct:
      return "direct";
  }
  return "?";
}

std::string_view word(Start start) {
  return start == Start::early ? "early" : "loaded";
}

std::string_view word(Audit audit) {
  return audit == Audit::full ? "full" : "count";
}

std::string_view word(plan::Shuffle shuffle) {
  return shuffle == plan::Shuffle::none ? "none" : "global";
}

std::string_view word(plan::RowOrder order) {
  switch (order) {
    case plan::RowOrder::sorted:
      return "sorted";
    case plan::RowOrder::shuffled:
      return "shuffled";
    case plan::RowOrder::drawn:
      break;
  }
  return "drawn";
}

std::string_view word(plan::Last last) {
  switch (last) {
    case plan::Last::drop:
      return "drop";
    case plan::Last::partial:
      return "partial";
    case plan::Last::pad:
      return "pad";
  }
  return "?";
}

std::string_view word(plan::Mix::Within within) {
  return within == plan::Mix::Within::batch ? "batch" : "epoch";
}

std::string_view word(Outside outside) {
  return outside == Outside::error ? "error" : "drop";
}

std::string_view word(ResampleAs as) {
  return as == ResampleAs::samples ? "samples" : "weights";
}

std::string_view word(plan::Draw::Redraw redraw) {
  return redraw == plan::Draw::Redraw::epoch ? "epoch" : "never";
}

std::string text_of(const ResampleConfig::Amount& amount) {
  return amount.samples > 0 ? std::to_string(amount.samples) : fmt::format("{} times", amount.times);
}

std::string text_of(const MixConfig& mix) {
  switch (mix.kind) {
    case MixConfig::Kind::none:
      return "";
    case MixConfig::Kind::proportion:
      return "proportion";
    case MixConfig::Kind::balanced:
      return "balanced";
    case MixConfig::Kind::shares:
      break;
  }
  std::string text;
  for (const auto& [name, share] : mix.shares) text += (text.empty() ? "" : ", ") + name + ":" + std::to_string(share);
  return text;
}

std::string text_of(const EpochSize& size) {
  if (size.kind == EpochSize::Kind::samples) return std::to_string(size.samples);
  return size.kind == EpochSize::Kind::shortest ? "shortest" : "longest";
}

std::string_view word(Norm norm) {
  switch (norm) {
    case Norm::none:
      return "none";
    case Norm::minmax:
      return "minmax";
    case Norm::standard:
      return "standard";
    case Norm::tanh_log:
      return "tanh-log";
  }
  return "?";
}

std::string_view word(NormOver over) {
  return over == NormOver::field ? "field" : "column";
}

std::string_view word(Overflow overflow) {
  switch (overflow) {
    case Overflow::error:
      return "error";
    case Overflow::saturate:
      return "saturate";
    case Overflow::truncate:
      return "truncate";
    case Overflow::truncate_saturate:
      return "truncate, saturate";
  }
  return "?";
}

std::string_view word(Overlong overlong) {
  return overlong == Overlong::truncate ? "truncate" : "error";
}

std::string_view word(Encode encode) {
  switch (encode) {
    case Encode::none:
      return "none";
    case Encode::one_hot:
      return "one-hot";
    case Encode::index:
      return "index";
  }
  return "?";
}

std::string_view word(CfMode mode) {
  switch (mode) {
    case CfMode::automatic:
      return "auto";
    case CfMode::on:
      return "on";
    case CfMode::off:
      return "off";
  }
  return "?";
}

std::string_view word(MissingFiles missing) {
  return missing == MissingFiles::error ? "error" : "skip";
}

std::string_view word(VirtualGaps gaps) {
  return gaps == VirtualGaps::fill ? "fill" : "error";
}

}  // namespace headrace::config
