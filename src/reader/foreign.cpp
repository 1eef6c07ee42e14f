#include "reader/foreign.hpp"

namespace headrace::reader {

namespace {

/// One piece, from rows of the file to samples.
class PieceTaker : public catalog::RowTaker {
 public:
  PieceTaker(const std::vector<Course>& courses, const Piece& piece, const Refused& refused)
      : courses_(courses), piece_(piece), refused_(refused) {}

  std::byte* place(std::size_t dataset, std::uint64_t row, std::uint64_t rows) override {
    return courses_[dataset].place(part(row, rows));
  }
  void placed(std::size_t dataset, std::uint64_t row, std::uint64_t rows) override {
    courses_[dataset].placed(part(row, rows));
  }
  void accept(std::size_t dataset, std::uint64_t row, std::uint64_t rows, const std::byte* raw) override {
    courses_[dataset].accept(part(row, rows), raw);
  }
  bool refused(std::uint64_t row, const std::string& why) override {
    return refused_ && refused_(part(row, 1).sample, why);
  }
  void tell() override { courses_.front().tally.tell(); }

 private:
  Piece part(std::uint64_t row, std::uint64_t rows) const { return {row, rows, piece_.sample + (row - piece_.row)}; }

  const std::vector<Course>& courses_;
  const Piece& piece_;
  const Refused& refused_;
};

}  // namespace

void read_foreign(const std::vector<Course>& courses, const std::vector<Piece>& pieces, unsigned threads,
                  const Refused& refused) {
  const auto& file = courses.front().catalog.files[courses.front().file];
  std::vector<std::string> datasets;
  for (const auto& course : courses) datasets.push_back(course.here().path);
  for (const auto& piece : pieces) {
    for (const auto& course : courses) course.fetched(piece);
    PieceTaker taker(courses, piece, refused);
    file.rows->read(datasets, piece.row, piece.rows, threads, taker);
  }
}

}  // namespace headrace::reader
