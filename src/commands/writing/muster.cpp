#include "commands/writing/muster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <string>
#include <thread>

#include "base/clock.hpp"
#include "mpi/patience.hpp"

namespace headrace::commands::writing {

namespace {

enum MusterTag { muster_word = 1, muster_over = 2 };
constexpr std::chrono::milliseconds nap{2};

std::span<std::byte> to_fill(std::uint64_t& value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

std::span<const std::byte> to_send(const std::uint64_t& value) {
  return std::as_bytes(std::span(&value, 1));
}

/// What cannot be looked at just now says nothing against the others.
std::uint64_t news(const std::function<std::uint64_t()>& progress, std::uint64_t before) {
  try {
    return progress();
  } catch (const std::exception&) {
    return before + 1;
  }
}

}  // namespace

Muster::Muster(const mpi::Comm& all) : all_(all), mail_(all), words_(static_cast<std::size_t>(all.size()), none) {
  if (!is_first()) in_.add(mail_.receive(0, muster_over, to_fill(over_in_)), 0);
  for (int rank = 1; is_first() && rank < all.size(); ++rank)
    in_.add(mail_.receive(rank, muster_word, to_fill(words_[static_cast<std::size_t>(rank)])), 0);
}

bool Muster::pump() {
  std::vector<mpi::Transfers::Done> finished;
  if (in_.size() > 0) in_.poll(finished);
  if (out_.size() > 0) out_.poll(finished);
  if (is_first()) {
    const bool any_failed = std::find(words_.begin(), words_.end(), failed) != words_.end();
    const bool all_said = std::find(words_.begin(), words_.end(), none) == words_.end();
    if (any_failed || all_said) say_over();
    return all_said && out_.size() == 0;
  }
  return over_in_ == over && out_.size() == 0;
}

void Muster::say_over() {
  if (said_over_) return;
  said_over_ = true;
  for (int rank = 1; rank < all_.size(); ++rank) out_.add(mail_.send(rank, muster_over, to_send(over_out_)), 0);
}

bool Muster::told_to_stop() {
  pump();
  return is_first() ? said_over_ : over_in_ == over;
}

std::string Muster::missing() const {
  if (!is_first()) return all_.name_of(0);
  std::string names;
  for (std::size_t rank = 0; rank < words_.size(); ++rank)
    if (words_[rank] == none) names += (names.empty() ? "" : ", ") + all_.name_of(static_cast<int>(rank));
  return names;
}

void Muster::wait(bool has_failed, const std::function<std::uint64_t()>& progress) {
  word_ = has_failed ? failed : done;
  if (is_first())
    words_[0] = word_;
  else
    out_.add(mail_.send(0, muster_word, to_send(word_)), 0);
  const auto begin = Clock::now();
  auto looked = begin;
  std::uint64_t before = 0;
  bool told = false;
  while (!pump()) {
    std::this_thread::sleep_for(nap);
    const auto& patience = mpi::patience();
    if (is_first() && !told && seconds_since(begin) > patience.tell_after_s) {
      told = true;
      mpi::tell(fmt::format("done here; {} still at work", missing()));
    }
    if (patience.limit_s <= 0 || seconds_since(looked) < patience.limit_s) continue;
    looked = Clock::now();
    const auto now = news(progress, before);
    if (now == before)
      mpi::give_up(fmt::format("{} got no further for {:.0f} s; what is written stays, go on with --resume", missing(),
                               patience.limit_s));
    before = now;
  }
}

}  // namespace headrace::commands::writing
