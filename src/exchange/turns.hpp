// Whose request is served next. Each peer has a line of its own and a limit of answers under way: one that asks for
// much, or whose link is full, would else fill all send buffers, and the links to everybody else would stand idle.
//
//   peer 2:  a b c d        take() -> a, e, f, b ...   peers in turn
//   peer 5:  e              a peer with `most` answers under way is passed over until one of them is finished
//   peer 7:  f g
//
// One thread: the one that owns MPI.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <utility>

namespace headrace::exchange {

template <class Item>
class Turns {
 public:
  /// At most so many items of one peer are under way at a time; at least one.
  explicit Turns(unsigned most) : most_(most > 0 ? most : 1) {}

  void add(int peer, Item item) {
    auto& line = lines_[peer];
    if (line.waiting.empty()) order_.push_back(peer);
    line.waiting.push_back(std::move(item));
  }

  /// The next item whose peer may have one more under way.
  std::optional<Item> take() {
    for (auto left = order_.size(); left > 0; --left) {
      const int peer = order_.front();
      order_.pop_front();
      auto& line = lines_[peer];
      if (line.under_way >= most_) {
        order_.push_back(peer);
        continue;
      }
      ++line.under_way;
      std::optional<Item> item(std::move(line.waiting.front()));
      line.waiting.pop_front();
      if (!line.waiting.empty()) order_.push_back(peer);
      return item;
    }
    return std::nullopt;
  }

  /// One of the peer's items is no longer under way.
  void finish(int peer) { --lines_.at(peer).under_way; }

  bool empty() const { return order_.empty(); }

 private:
  struct Line {
    std::deque<Item> waiting;
    unsigned under_way = 0;
  };
  unsigned most_;
  std::map<int, Line> lines_;
  std::deque<int> order_;  ///< peers with somebody waiting, whose turn is next first
};

}  // namespace headrace::exchange
