#include "commands/writing/funnel.hpp"

#include <utility>

#include "base/error.hpp"

namespace headrace::commands::writing {

namespace {

enum Tag { head_tag = 1, body_tag = 2, over_tag = 3 };

template <class Value>
std::span<const std::byte> bytes_of(const Value& value) {
  return std::as_bytes(std::span(&value, 1));
}

template <class Value>
std::span<std::byte> room_of(Value& value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

}  // namespace

Funnel::Funnel(const mpi::Comm& all, std::vector<std::uint64_t> blocks,
               std::function<void(const formats::EncodedBlock&)> sink, std::function<void()> sent)
    : me_(static_cast<std::uint32_t>(all.rank())),
      size_(static_cast<std::uint32_t>(all.size())),
      blocks_(std::move(blocks)),
      sink_(std::move(sink)),
      sent_(std::move(sent)),
      mail_(all),
      own_(me_),
      done_with_(size_) {
  if (me_ != 0) over_.add(mail_.receive(0, over_tag, room_of(over_in_)), 0);
}

void Funnel::add(formats::EncodedBlock block) {
  const Lock lock(mutex_);
  const auto number = block.entry.block;
  outbox_.emplace(number, std::move(block));
}

std::optional<formats::EncodedBlock> Funnel::next_of_own() {
  if (own_ >= blocks_.size()) return std::nullopt;
  const Lock lock(mutex_);
  const auto found = outbox_.find(blocks_[own_]);
  if (found == outbox_.end()) return std::nullopt;
  auto block = std::move(found->second);
  outbox_.erase(found);
  own_ += size_;
  return block;
}

bool Funnel::poll(mpi::Transfers& transfers) {
  std::vector<mpi::Transfers::Done> done;
  if (transfers.size() > 0) transfers.poll(done);
  return transfers.size() == 0;
}

bool Funnel::pump(bool own_work_done) {
  if (me_ == 0) {
    take_own(own_work_done);
    while (receive()) take_own(own_work_done);
    if (own_work_done && all_said_their_last()) say_over();
    return own_work_done && all_said_their_last() && poll(over_);
  }
  send_own(own_work_done);
  if (poll(over_) && over_in_ != 0) told_to_stop_ = true;
  return last_sent_ && out_.size() == 0 && over_in_ != 0;
}

void Funnel::send_own(bool own_work_done) {
  while (poll(out_) && !last_sent_) {
    auto block = next_of_own();
    if (block) {
      body_out_ = block->pack();
      head_out_ = {body_out_.size(), 0};
      out_.add(mail_.send(0, head_tag, bytes_of(head_out_)), 0);
      out_.add(mail_.send(0, body_tag, body_out_), 0);
      sent_();
    } else if (own_work_done) {
      // Blocks behind one that is missing stay here.
      head_out_ = {0, 1};
      out_.add(mail_.send(0, head_tag, bytes_of(head_out_)), 0);
      last_sent_ = true;
    } else {
      return;
    }
  }
}

void Funnel::take(const formats::EncodedBlock& block) {
  if (stopped_) return;
  try {
    require(block.entry.block == blocks_[next_],
            "blocks come in another order than expected; do all stagers run the "
            "same version?");
    sink_(block);
    ++next_;
  } catch (...) {
    failure_ = std::current_exception();
    stop();
  }
}

void Funnel::say_over() {
  if (over_said_) return;
  over_said_ = true;
  for (std::uint32_t to = 1; to < size_; ++to)
    over_.add(mail_.send(static_cast<int>(to), over_tag, bytes_of(over_out_)), 0);
}

void Funnel::stop() {
  stopped_ = true;
  told_to_stop_ = true;
  say_over();
}

bool Funnel::all_said_their_last() const {
  for (std::uint32_t from = 1; from < size_; ++from)
    if (!done_with_[from]) return false;
  return true;
}

void Funnel::take_own(bool own_work_done) {
  while (auto block = next_of_own_in_turn()) {
    take(*block);
    sent_();
  }
  // A block that is missing here will not come any more.
  if (own_work_done && !stopped_ && next_ < blocks_.size() && owner(next_) == 0 && !has_own()) stop();
}

std::optional<formats::EncodedBlock> Funnel::next_of_own_in_turn() {
  // Where nothing goes into the file any more, what is there is dropped, so that the work comes to its end.
  if (!stopped_ && (next_ >= blocks_.size() || owner(next_) != 0)) return std::nullopt;
  return next_of_own();
}

bool Funnel::has_own() {
  const Lock lock(mutex_);
  return own_ < blocks_.size() && outbox_.count(blocks_[own_]) != 0;
}

std::uint32_t Funnel::next_source() const {
  if (!stopped_ && next_ < blocks_.size()) return owner(next_);
  for (std::uint32_t from = 1; from < size_; ++from)
    if (!done_with_[from]) return from;
  return 0;
}

bool Funnel::receive() {
  if (stage_ == Stage::idle) {
    from_ = next_source();
    if (from_ == 0 || done_with_[from_]) return false;
    in_.add(mail_.receive(static_cast<int>(from_), head_tag, room_of(head_in_)), 0);
    stage_ = Stage::head;
  }
  if (!poll(in_)) return false;
  if (stage_ == Stage::head && head_in_.last == 0) {
    body_in_.resize(head_in_.bytes);
    in_.add(mail_.receive(static_cast<int>(from_), body_tag, body_in_), 0);
    stage_ = Stage::body;
    if (!poll(in_)) return false;
  }
  if (stage_ == Stage::head) {
    done_with_[from_] = true;
    if (!stopped_ && next_ < blocks_.size() && owner(next_) == from_) stop();
  } else {
    take(formats::EncodedBlock::unpack(body_in_));
  }
  stage_ = Stage::idle;
  return true;
}

}  // namespace headrace::commands::writing
