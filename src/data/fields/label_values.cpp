#include "data/fields/label_values.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/mutex.hpp"
#include "base/whole.hpp"
#include "data/selection/sample_columns.hpp"
#include "mpi/agree.hpp"
#include "transform/numbers/bad_element.hpp"

namespace headrace::data::fields {

namespace {

class LabelValues {
 public:
  LabelValues(const catalog::Contents& contents, const mpi::Comm& comm, const reader::LoadOptions& options)
      : contents_(contents), comm_(comm), options_(options) {}

  /// Collective.
  std::vector<std::string> read(const config::FieldConfig& field, const std::string& dataset) {
    auto samples = mpi::together(comm_, [&] { return catalog::select(contents_, {dataset}); });
    auto columns = mpi::together(comm_, [&] {
      auto made = std::make_unique<selection::SampleColumns>(contents_, samples);
      made->add_item(field.source[0],
                     "[field." + field.name + "] encode (name the classes, or encode one label per sample)");
      return made;
    });
    constexpr std::uint64_t at_once = 1 << 20;
    const auto ranks = static_cast<std::uint64_t>(comm_.size());
    std::set<std::string> found;
    auto options = options_;
    if (options_.refused)
      options.refused = [this](std::uint64_t sample, const std::string& why) { return let_go(sample, why); };
    for (std::uint64_t begin = 0; begin < samples.samples; begin += at_once * ranks) {
      const auto first = std::min(samples.samples, begin + static_cast<std::uint64_t>(comm_.rank()) * at_once);
      const auto last = std::min(samples.samples, first + at_once);
      std::vector<reader::Interval> mine;
      if (first < last) mine.push_back({first, last});
      columns->read(comm_, first, last, mine, options);
      mpi::together(comm_, [&] { collect(field, columns->values(0), take_gone(first), found); });
    }
    auto all = together(found);
    require(!all.empty() || samples.samples == 0,
            "[field." + field.name + "] encode: no sample's '" + field.source[0] + "' can be read; name the classes");
    return all;
  }

 private:
  static constexpr std::size_t most_classes = 10'000;

  static Whole whole(const config::FieldConfig& field, double value) {
    const auto label = Whole::of(value);
    require(label.has_value(),
            "[field." + field.name + "] encode: '" + field.source[0] + "' holds " + transform::numbers::shown(value) +
                ", which is no whole number; name the classes, and cut such samples away with where");
    return *label;
  }

  /// Any thread. A sample that is not to be had has no label.
  bool let_go(std::uint64_t sample, const std::string& why) {
    const bool goes = options_.refused(sample, why);
    const Lock lock(mutex_);
    if (goes) gone_.insert(sample);
    return goes;
  }

  /// Those of the last read, counted from its first sample; ascending.
  std::vector<std::size_t> take_gone(std::uint64_t first) {
    const Lock lock(mutex_);
    std::vector<std::size_t> rows;
    for (const auto sample : gone_) rows.push_back(sample - first);
    gone_.clear();
    return rows;
  }

  template <class T>
  static std::vector<T> without(const std::vector<T>& all, const std::vector<std::size_t>& gone) {
    std::vector<T> left;
    auto next = gone.begin();
    for (std::size_t row = 0; row < all.size(); ++row)
      if (next != gone.end() && *next == row)
        ++next;
      else
        left.push_back(all[row]);
    return left;
  }

  static void collect(const config::FieldConfig& field, const condition::ColumnValues& values,
                      const std::vector<std::size_t>& gone, std::set<std::string>& found) {
    std::visit(
        [&](const auto& read) {
          using T = typename std::decay_t<decltype(read)>::value_type;
          const auto all = without(read, gone);
          if constexpr (std::is_same_v<T, double>) {
            std::set<Whole> labels;
            for (const auto value : all) labels.insert(whole(field, value));
            for (const auto label : labels) found.insert(label.text());
          } else {
            for (const auto& value : std::set<T>(all.begin(), all.end())) {
              if constexpr (std::is_same_v<T, std::string>)
                found.insert(value);
              else
                found.insert(std::to_string(value));
            }
          }
        },
        values);
    require(found.size() <= most_classes, "[field." + field.name + "] encode: '" + field.source[0] +
                                              "' has more than " + std::to_string(most_classes) +
                                              " values; are they labels? Name the classes");
  }

  std::vector<std::string> together(const std::set<std::string>& found) const {
    std::string mine;
    for (const auto& value : found) mine += std::to_string(value.size()) + ":" + value;
    std::set<std::string> all;
    for (const auto& text : comm_.allgather(mine))
      for (std::size_t at = 0; at < text.size();) {
        const auto colon = text.find(':', at);
        const auto length = std::stoul(text.substr(at, colon - at));
        all.insert(text.substr(colon + 1, length));
        at = colon + 1 + length;
      }
    return {all.begin(), all.end()};
  }

  const catalog::Contents& contents_;
  const mpi::Comm& comm_;
  const reader::LoadOptions& options_;
  Mutex mutex_;
  std::set<std::uint64_t> gone_ GUARDED_BY(mutex_);
};

}  // namespace

std::vector<std::string> label_values(const config::FieldConfig& field, const std::string& dataset,
                                      const catalog::Contents& contents, const mpi::Comm& comm,
                                      const reader::LoadOptions& options) {
  return LabelValues(contents, comm, options).read(field, dataset);
}

}  // namespace headrace::data::fields
