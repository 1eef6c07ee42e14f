// The samples of a stream, or those stored: a Selection that everybody can compute; or, where the data decide, a set
// per slab, of which each node knows those of its own stagers, and of the others only how many there are; or likewise a
// multiset per slab, in which samples come several times. Ordinal k is the k-th member, ascending by sample, copies one
// after another; the members of one slab are one run of ordinals. Immutable; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "plan/multiset.hpp"
#include "plan/sample_set.hpp"
#include "plan/selection.hpp"
#include "plan/slabs.hpp"

namespace headrace::plan {

class Members {
 public:
  Members() = default;
  Members(Selection selection, std::span<const Slab> slabs);
  /// counts: members per stager. here: the sets of stagers first_here, first_here + 1, ...
  Members(std::span<const std::uint64_t> counts, std::uint32_t first_here, std::vector<SampleSet> here);

  /// The same where samples come several times: counts of copies.
  Members(std::span<const std::uint64_t> counts, std::uint32_t first_here,
          std::shared_ptr<const std::vector<Multiset>> here);

  std::uint64_t size() const { return first_.empty() ? 0 : first_.back(); }
  /// Per stager the ordinal of its first member, and size() at the end.
  const std::vector<std::uint64_t>& first_ordinals() const { return first_; }
  /// Null where only the data know.
  const Selection* selection() const { return selection_ ? &*selection_ : nullptr; }
  /// Whether the members of this stager's slab are known here.
  bool known(std::uint32_t stager) const {
    return selection_ || (stager >= first_here_ && stager < first_here_ + (copies_ ? copies_->size() : here_.size()));
  }
  bool repeats() const { return copies_ != nullptr; }  ///< whether it is made of multisets
  /// That of a known stager; only where repeats().
  const Multiset& multiset(std::uint32_t stager) const { return (*copies_)[stager - first_here_]; }

  // Of a known stager's slab:

  bool contains(std::uint32_t stager, std::uint64_t sample) const;
  std::uint64_t ordinal(std::uint32_t stager, std::uint64_t sample) const;  ///< of a member of the slab: its first
  std::uint64_t copies(std::uint32_t stager, std::uint64_t sample) const;   ///< how often it is a member
  /// samples[i] of ascending ordinals, all of this stager.
  void samples(std::uint32_t stager, std::span<const std::uint64_t> ordinals, std::span<std::int64_t> samples) const;
  // ... where nothing comes several times:

  /// out[i]: place of a member among those of the slab, for ascending samples.
  void places(std::uint32_t stager, std::span<const std::int64_t> samples, std::span<std::uint32_t> out) const;
  /// Members below the sample, among those of the slab.
  std::uint64_t place(std::uint32_t stager, std::uint64_t sample) const;
  /// f(first, count) for each run of neighbouring members in [first, last), which lies in the slab.
  void runs(std::uint32_t stager, std::uint64_t first, std::uint64_t last,
            const std::function<void(std::uint64_t first, std::uint64_t count)>& f) const;

 private:
  static std::vector<std::uint64_t> sums(std::span<const std::uint64_t> counts);
  const SampleSet& set(std::uint32_t stager) const { return here_[stager - first_here_]; }

  std::optional<Selection> selection_;
  std::vector<std::uint64_t> first_;
  std::uint32_t first_here_ = 0;
  std::vector<SampleSet> here_;
  std::shared_ptr<const std::vector<Multiset>> copies_;
};

}  // namespace headrace::plan
