// The keys of [resample]; docs/reference/resample.md tells their meaning.
#include "config/keys.hpp"
#include "config/resample_values.hpp"

namespace headrace::config {

namespace {

using C = Config&;
using V = const Value&;

constexpr const char* resampling = "Resampling";

}  // namespace

std::vector<Key> resample_keys() {
  return {
      {"resample.bins", Scope::top, Kind::list, resampling, 0, "BINS", "",
       "a variable with its bins: jets.pt = 0:250e3:50, 250e3:6e6:50",
       +[](C c, V v) { c.resample.bins = bin_axes(v); }},
      {"resample.target", Scope::top, Kind::text, resampling, 0, "TARGET", "",
       "whose distribution all classes get: a class, min, mean, max, flat, or a file of numbers",
       +[](C c, V v) { c.resample.target = nonempty(v, "a class, min, mean, max, flat, or a file"); }},
      {"resample.samples", Scope::top, Kind::number, resampling, 0, "N", "1",
       "of each class: times the target's number (up to 10), or how many",
       +[](C c, V v) { c.resample.samples = amount(v); }},
      {"resample.max-repeat", Scope::top, Kind::number, resampling, 0, "N", "0",
       "how often a sample may come in an epoch; 0: as often as it takes",
       +[](C c, V v) { c.resample.max_repeat = whole(v, 0, std::uint64_t{1} << 30); }},
      {"resample.as", Scope::top, Kind::choice, resampling, 0, "WHAT", "samples",
       "draw samples, or weights for all of them (source = \"@weight\")",
       +[](C c, V v) {
         c.resample.as = choose(v, {ResampleAs::samples, ResampleAs::weights});
       }},
      {"resample.redraw", Scope::top, Kind::choice, resampling, 0, "WHEN", "epoch",
       "who is drawn: others each epoch, or never",
       +[](C c, V v) {
         c.resample.redraw = choose(v, {plan::Draw::Redraw::epoch, plan::Draw::Redraw::never});
       }},
      {"resample.outside", Scope::top, Kind::choice, resampling, 0, "HOW", "error",
       "samples in none of the bins: error, or drop (they do not come)",
       +[](C c, V v) {
         c.resample.outside = choose(v, {Outside::error, Outside::drop});
       }},
      {"resample", Scope::stream_only, Kind::toggle, resampling, 0, "", "true",
       "whether [resample] holds for this stream", +[](StreamConfig& s, V v) { s.resample = yes(v); }},
  };
}

}  // namespace headrace::config
