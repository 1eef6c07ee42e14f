#include "inventory/rows.hpp"

#include "base/error.hpp"

namespace headrace::inventory {

Rows::Rows(const std::vector<Wanted>& wanted, std::uint64_t first, std::uint64_t count, catalog::RowTaker& taker)
    : wanted_(wanted), first_(first), count_(count), taker_(taker), own_(wanted.size()), gone_(count, false) {
  for (std::size_t d = 0; d < wanted.size(); ++d) {
    auto* place = taker.place(d, first, count);
    in_place_.push_back(place != nullptr);
    if (place == nullptr) {
      own_[d].resize(count * wanted[d].row_bytes);
      place = own_[d].data();
    }
    to_.push_back(place);
  }
}

void Rows::refuse(std::uint64_t row, const std::string& why) {
  if (gone(row)) return;
  if (!taker_.refused(row, why)) throw Error(why);
  gone_[row - first_] = true;
}

void Rows::deliver() {
  for (std::uint64_t begin = 0; begin < count_;) {
    auto end = begin;
    while (end < count_ && !gone_[end]) ++end;
    for (std::size_t d = 0; d < wanted_.size() && end > begin; ++d)
      if (in_place_[d])
        taker_.placed(d, first_ + begin, end - begin);
      else
        taker_.accept(d, first_ + begin, end - begin, at(d, first_ + begin));
    begin = end + 1;
  }
}

}  // namespace headrace::inventory
