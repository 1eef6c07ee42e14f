#include "reader/load.hpp"

#include <fmt/format.h>

#include <chrono>
#include <optional>

#include "base/clock.hpp"
#include "base/reading_note.hpp"
#include "mpi/agree.hpp"
#include "mpi/watch_together.hpp"
#include "reader/foreign.hpp"
#include "reader/ways.hpp"

namespace headrace::reader {

namespace {

class Load {
 public:
  /// comm: of those who load together; null: nobody else.
  Load(const mpi::Comm* comm, const catalog::Catalog& catalog, std::span<const Interval> mine, Sink& sink,
       const LoadOptions& options)
      : comm_(comm),
        catalog_(catalog),
        mine_(mine),
        sink_(sink),
        options_(options),
        tally_(bytes_of(catalog, mine), options.progress),
        known_(options.known ? options.known : std::make_shared<KnownFiles>()) {
    for (const auto& dataset : catalog.datasets) {
      auto& routes = routes_.emplace_back();
      for (std::size_t f = 0; f < catalog.files.size(); ++f) routes.push_back(route_of(dataset.in_file[f], f));
      report_.datasets.push_back({dataset.path, routes[0].way, text(routes), any(routes, Way::collective)});
    }
    report_.bytes = bytes_of(catalog, mine);
  }

  LoadReport run() {
    const auto start = std::chrono::steady_clock::now();
    if (comm_ != nullptr) {
      for (std::size_t f = 0; f < catalog_.files.size(); ++f) read_together(f);
      mpi::together(*comm_, [&] { read_alone(); });
    } else {
      read_alone();
    }
    tally_.tell();
    report_.seconds = seconds_since(start);
    report_.stored_bytes = tally_.fetched();
    return std::move(report_);
  }

 private:
  static std::uint64_t bytes_of(const catalog::Catalog& catalog, std::span<const Interval> mine) {
    std::uint64_t bytes = 0;
    for (std::size_t f = 0; f < catalog.files.size(); ++f)
      for (const auto& piece : pieces_in(catalog.files[f], mine))
        for (const auto& dataset : catalog.datasets) bytes += piece.rows * dataset.in_file[f].row_bytes();
    return bytes;
  }
  Route route_of(const h5::DatasetInfo& here, std::size_t file) const {
    if (here.path.empty()) return {Way::library, "missing"};
    if (catalog_.files[file].rows) return {Way::foreign, catalog_.files[file].rows->how()};
    return route(comm_ != nullptr ? options_.io : Io::direct, here);
  }
  static bool any(const std::vector<Route>& routes, Way way) {
    for (const auto& r : routes)
      if (r.way == way) return true;
    return false;
  }

  std::string text(const std::vector<Route>& routes) const {
    std::string told = fmt::format("{} ({})", text_of(routes[0].way), routes[0].why);
    for (std::size_t f = 1; f < routes.size(); ++f)
      if (routes[f] != routes[0])
        return told +
               fmt::format("; {} otherwise: {} ({})", catalog_.files[f].path, text_of(routes[f].way), routes[f].why);
    return told;
  }

  Course course(std::size_t dataset, std::size_t file) { return {catalog_, dataset, file, sink_, tally_, *known_}; }

  // A file that all ranks have open together: closing it waits for them, too.
  struct OpenTogether {
    const mpi::Comm& comm;
    const std::string& path;
    std::optional<h5::File> file;
    ~OpenTogether() {
      if (!file) return;
      const auto note = ReadingNote::of_file(path);
      const auto watch = mpi::watch_together(comm, "close " + path);
      file.reset();
    }
  };

  // Every rank takes part in every file, with what it has there.
  void read_together(std::size_t f) {
    OpenTogether open{*comm_, catalog_.files[f].path, {}};
    auto& file = open.file;
    for (std::size_t d = 0; d < catalog_.datasets.size(); ++d) {
      if (routes_[d][f].way != Way::collective || catalog_.files[f].samples == 0) continue;
      if (!file) {
        mpi::together(*comm_, [&] { known_->marks.require_unchanged(catalog_.files[f]); });
        file = h5::open_collective(*comm_, catalog_.files[f].path);
      }
      const bool really =
          read_collective(*comm_, course(d, f), pieces_in(catalog_.files[f], mine_), *file, options_.slice_bytes);
      report_.datasets[d].collective = report_.datasets[d].collective && really;
    }
  }

  // This rank's own part, without a word to the others.
  void read_alone() {
    Crew crew(options_.threads);
    for (std::size_t f = 0; f < catalog_.files.size(); ++f) {
      const auto pieces = pieces_in(catalog_.files[f], mine_);
      if (!pieces.empty()) read_file(f, pieces, crew);
    }
    crew.finish();
    // Of a file that became shorter HDF5 reads zeros, of one that is written to anybody reads something else; and jobs
    // read when they come to it.
    for (std::size_t f = 0; f < catalog_.files.size(); ++f) {
      const auto pieces = pieces_in(catalog_.files[f], mine_);
      if (!pieces.empty()) require_unchanged(f, pieces);
    }
    for (const auto& file : catalog_.files)
      if (file.rows && !options_.more_to_come) file.rows->rest();
  }

  void read_foreign_file(std::size_t f, const std::vector<Piece>& pieces) {
    known_->marks.require_unchanged(catalog_.files[f]);
    std::vector<Course> courses;
    for (std::size_t d = 0; d < catalog_.datasets.size(); ++d)
      if (!catalog_.datasets[d].in_file[f].path.empty()) courses.push_back(course(d, f));
    read_foreign(courses, pieces, options_.threads, options_.refused);
  }

  void require_unchanged(std::size_t f, const std::vector<Piece>& pieces) {
    const auto note = ReadingNote::of_file(catalog_.files[f].path);
    const auto why = known_->marks.change_of(catalog_.files[f]);
    if (why.empty()) return;
    for (std::size_t d = 0; d < catalog_.datasets.size(); ++d)
      if (!catalog_.datasets[d].in_file[f].path.empty())
        course(d, f).explain(pieces.front(), [&] { throw Error(why); });
    throw Error(fmt::format("cannot read {} ({})", catalog_.files[f].path, why));
  }

  bool alone(std::size_t d, std::size_t f) const {
    return routes_[d][f].way != Way::collective && !catalog_.datasets[d].in_file[f].path.empty();
  }

  void read_file(std::size_t f, const std::vector<Piece>& pieces, Crew& crew) {
    const auto& info = catalog_.files[f];
    if (info.rows) return read_foreign_file(f, pieces);
    const auto note = ReadingNote::of_file(info.path);
    FileInHand file(info, {.pass_by = options_.pass_by, .scattered = comm_ == nullptr});
    require_unchanged(f, pieces);
    std::size_t d = 0;
    try {
      for (; d < catalog_.datasets.size(); ++d)
        if (alone(d, f)) read_dataset(d, f, pieces, file, crew);
    } catch (const SinkError&) {
      throw;
    } catch (const ReadError&) {
      throw;
    } catch (const Error& e) {  // opening it, mostly
      while (d < catalog_.datasets.size() && catalog_.datasets[d].in_file[f].path.empty()) ++d;
      if (d == catalog_.datasets.size()) throw;
      course(d, f).explain(pieces.front(), [&] { throw; });
    }
    if (options_.pass_by) file.forget_what_hdf5_read();
  }

  void read_dataset(std::size_t d, std::size_t f, const std::vector<Piece>& pieces, FileInHand& file, Crew& crew) {
    const auto here = course(d, f);
    switch (routes_[d][f].way) {
      case Way::plain:
        return read_plain(here, pieces, file.plain(), crew);
      case Way::chunks:
        if (const auto why = read_chunks(here, pieces, file, crew); !why.empty())
          report_.datasets[d].text +=
              fmt::format("; {}: H5Dread (where its chunks lie cannot be told: {})", here.path(), why);
        return;
      default:
        return read_library(here, pieces, file.hdf5());
    }
  }

  const mpi::Comm* comm_;
  const catalog::Catalog& catalog_;
  std::span<const Interval> mine_;
  Sink& sink_;
  const LoadOptions& options_;
  Tally tally_;
  std::shared_ptr<KnownFiles> known_;
  std::vector<std::vector<Route>> routes_;  // per dataset, per file
  LoadReport report_;
};

}  // namespace

LoadReport load(const mpi::Comm& comm, const catalog::Catalog& catalog, std::span<const Interval> mine, Sink& sink,
                const LoadOptions& options) {
  return Load(&comm, catalog, mine, sink, options).run();
}

LoadReport load_alone(const catalog::Catalog& catalog, std::span<const Interval> mine, Sink& sink,
                      const LoadOptions& options) {
  return Load(nullptr, catalog, mine, sink, options).run();
}

}  // namespace headrace::reader
