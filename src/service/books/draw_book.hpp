// How much each stager holds of the epochs that streams draw anew: who was asked, who has answered. Lives at stager 0;
// pure bookkeeping, called from one thread.
//
//   unknown --want()--> asked --came() from each stager--> known --(others used later)--> unknown
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace headrace::service::books {

class DrawBook {
 public:
  static constexpr std::size_t most_known = 64;  ///< epochs: small numbers, but one of each stager

  explicit DrawBook(std::size_t stagers) : stagers_(stagers) {}

  enum class Answer {
    ask,    ///< all stagers must be asked
    wait,   ///< they are asked
    known,  ///< rows() has it
  };
  Answer want(std::uint32_t stream, std::uint64_t epoch);
  /// A stager's answer. Whether it was the last. Throws Error for a stager or an epoch that was not asked.
  bool came(std::uint32_t stream, std::uint64_t epoch, std::uint32_t stager, std::uint64_t rows);
  const std::vector<std::uint64_t>& rows(std::uint32_t stream, std::uint64_t epoch) const;

 private:
  using Key = std::pair<std::uint32_t, std::uint64_t>;
  struct Epoch {
    std::vector<std::optional<std::uint64_t>> answers;
    std::size_t missing = 0;
    std::vector<std::uint64_t> rows{};  ///< once nothing is missing
    std::uint64_t touched = 0;
  };
  void forget();

  std::size_t stagers_;
  std::map<Key, Epoch> epochs_;
  std::uint64_t touches_ = 0;
};

}  // namespace headrace::service::books
