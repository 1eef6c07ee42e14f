#include "inventory/source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "inventory/fetchers.hpp"
#include "inventory/hdf5_array.hpp"
#include "inventory/rows.hpp"
#include "inventory/team.hpp"

namespace headrace::inventory {

namespace {

using Kind = DecoderName::Kind;

/// One call of Source::read().
class Reading {
 public:
  Reading(const Inventory& inventory, const std::vector<std::string>& datasets, catalog::RowTaker& taker)
      : inventory_(inventory), taker_(taker) {
    for (std::size_t d = 0; d < datasets.size(); ++d) {
      const Array* array = nullptr;
      for (const auto& each : inventory.arrays)
        if (each.dataset == datasets[d]) array = &each;
      wanted_.push_back({array, array ? array->form.bytes() : inventory.table.record().size});
      row_bytes_ += wanted_.back().row_bytes;
      if (array == nullptr)
        table_.push_back(d);
      else if (array->name.kind == Kind::hdf5)
        hdf5_.push_back(d);
      else if (array->python)
        python_.push_back(d);
      else
        content_.push_back(d);
    }
  }

  void run(std::uint64_t row, std::uint64_t rows, unsigned threads) {
    const bool url = inventory_.path.is_url() && content_.size() + python_.size() > 0;
    if (url) threads = std::min(threads, inventory_.settings.fetch.connections);  // each has one at least
    // Of files, enough to be worth a job; of URLs, so many that all connections are busy for most of its time.
    const std::uint64_t job_bytes = (url ? std::uint64_t{32} << 20 : std::uint64_t{512} << 10);
    const std::uint64_t most_rows = url ? 32 * inventory_.settings.fetch.connections : 128;
    const auto readers = url ? threads : readers_of(inventory_.settings, threads);
    // Where rows are few (pack asks for few where files are slow), so few that each reader has some.
    const auto share = url ? most_rows : std::clamp<std::uint64_t>(rows / (4 * readers), 1, most_rows);
    const auto at_once = std::clamp<std::uint64_t>(job_bytes / std::max<std::uint64_t>(row_bytes_, 1), 1, share);
    for (const auto d : python_) wanted_[d].array->python->at_most(threads);
    if (url) fetchers_ = std::make_unique<Fetchers>(inventory_.settings.fetch, threads);
    Team team(readers);
    for (const auto end = row + rows; row < end;) {
      const auto count = std::min(at_once, end - row);
      auto job = std::make_shared<Job>(wanted_, row, count, taker_);
      look_into_hdf5(*job);
      team.add([this, job] { finish(*job); });
      taker_.tell();
      row += count;
    }
    team.finish();
  }

 private:
  struct Job {
    Job(const std::vector<Wanted>& wanted, std::uint64_t first, std::uint64_t count, catalog::RowTaker& taker)
        : rows(wanted, first, count, taker) {}
    Rows rows;
    struct Lying {
      std::uint64_t row;
      std::size_t dataset;
      std::uint64_t offset;
    };
    std::vector<Lying> lying;          // in HDF5 files, as they are
    std::vector<std::string> fetched;  // contents by row, where they are needed again
  };

  /// What goes wrong with one sample is said of it, and may cost it alone.
  template <class Step>
  void attempt(Rows& rows, std::uint64_t row, Step&& step) {
    if (rows.gone(row)) return;
    try {
      step();
    } catch (const Error& error) {
      rows.refuse(row, explained(inventory_, row, error.what()));
    }
  }

  /// HDF5's part, in the thread that owns it.
  void look_into_hdf5(Job& job) {
    std::string path;
    for (const auto d : hdf5_)
      for (auto row = job.rows.first(); row < job.rows.first() + job.rows.count(); ++row)
        attempt(job.rows, row, [&] {
          const auto& array = *wanted_[d].array;
          inventory_.path.make(inventory_.table, row, path);
          const auto found = hdf5_arrays_.find(path, array.name.argument);
          require_form(found.form, array.form);
          if (found.offset)
            job.lying.push_back({row, d, *found.offset});
          else
            hdf5_arrays_.read(path, array.name.argument, job.rows.at(d, row));
        });
  }

  /// Of each thread.
  static FileReader& reader() {
    thread_local FileReader mine;
    return mine;
  }

  /// The rest, in any thread.
  void finish(Job& job) {
    struct Leave {
      ~Leave() { reader().leave_folder(); }
    } const leave;
    thread_local std::string path;
    if (inventory_.checksum && content_.empty() && !fetchers_) verify_files(job);
    for (const auto& lying : job.lying)
      attempt(job.rows, lying.row, [&] {
        inventory_.path.make(inventory_.table, lying.row, path);
        read_bytes(path, lying.offset, wanted_[lying.dataset].row_bytes, job.rows.at(lying.dataset, lying.row));
      });
    for (auto row = job.rows.first(); row < job.rows.first() + job.rows.count(); ++row)
      for (const auto d : table_) inventory_.table.write_record(row, job.rows.at(d, row));
    if (fetchers_)
      fetch(job);
    else if (!content_.empty())
      for (auto row = job.rows.first(); row < job.rows.first() + job.rows.count(); ++row)
        attempt(job.rows, row, [&] {
          inventory_.path.make(inventory_.table, row, path);
          read_content(path, job.rows, row);
        });
    for (const auto d : python_) decode_in_python(job, d);
    job.rows.deliver();
  }

  /// Files that others open: read here for their sums alone.
  void verify_files(Job& job) {
    if (hdf5_.empty() && python_.empty()) return;
    std::string path;
    for (auto row = job.rows.first(); row < job.rows.first() + job.rows.count(); ++row)
      attempt(job.rows, row, [&] {
        inventory_.path.make(inventory_.table, row, path);
        verify(inventory_, row, reader().all(path));
      });
  }

  /// Contents of all its rows, decoded as they come.
  void fetch(Job& job) {
    auto fetcher = fetchers_->take();
    auto row = job.rows.first();
    if (!python_.empty()) job.fetched.resize(job.rows.count());
    fetcher->run(
        [&](std::size_t& number, std::string& url) {
          while (row < job.rows.first() + job.rows.count() && job.rows.gone(row)) ++row;
          if (row == job.rows.first() + job.rows.count()) return false;
          inventory_.path.make(inventory_.table, row, url);
          number = row++;
          return true;
        },
        [&](std::size_t number, std::string& content, const std::string& why) {
          attempt(job.rows, number, [&] {
            if (!why.empty()) throw Error(why);
            verify(inventory_, number, content);
            decode({reinterpret_cast<const std::byte*>(content.data()), content.size()}, job.rows, number);
            if (!python_.empty()) job.fetched[number - job.rows.first()] = std::move(content);
          });
        });
    fetchers_->give_back(std::move(fetcher));
  }

  void decode_in_python(Job& job, std::size_t dataset) {
    auto& rows = job.rows;
    const auto& array = *wanted_[dataset].array;
    std::vector<PythonSample> samples;
    for (auto row = rows.first(); row < rows.first() + rows.count(); ++row) {
      if (rows.gone(row)) continue;
      samples.push_back({.row = row, .path = {}});
      inventory_.path.make(inventory_.table, row, samples.back().path);
      if (!fetchers_) continue;
      samples.back().in_file = false;
      samples.back().content = job.fetched[row - rows.first()];
    }
    if (samples.empty()) return;
    array.python->decode(
        samples,
        [&](std::size_t i, std::string_view npy) {
          attempt(rows, samples[i].row, [&] {
            const Content content{reinterpret_cast<const std::byte*>(npy.data()), npy.size()};
            array.decoder->decode(content, array.form, rows.at(dataset, samples[i].row));
          });
        },
        [&](std::size_t i, const std::string& why) { attempt(rows, samples[i].row, [&] { throw Error(why); }); });
  }

  void read_content(const std::string& path, Rows& rows, std::uint64_t row) {
    const auto& first = *wanted_[content_[0]].array;
    if (content_.size() == 1 && first.layout && !inventory_.checksum &&
        reader().values(path, *first.layout, rows.at(content_[0], row)))
      return;
    const auto content = reader().all(path);
    verify(inventory_, row, content);
    decode(content, rows, row);
  }

  void decode(Content content, Rows& rows, std::uint64_t row) const {
    for (const auto d : content_) {
      const auto& array = *wanted_[d].array;
      array.decoder->decode(content, array.form, rows.at(d, row));
    }
  }

  const Inventory& inventory_;
  catalog::RowTaker& taker_;
  std::vector<Wanted> wanted_;
  std::uint64_t row_bytes_ = 0;
  std::vector<std::size_t> table_, content_, hdf5_, python_;  // which of wanted_
  Hdf5Arrays hdf5_arrays_;
  std::unique_ptr<Fetchers> fetchers_;  // where files are behind URLs
};

}  // namespace

unsigned readers_of(const Settings& settings, unsigned threads) {
  constexpr unsigned few = 8;  // of a parallel file system, several requests at a time are wanted
  return settings.readers > 0 ? settings.readers : std::max(few, threads);
}

void Source::read(const std::vector<std::string>& datasets, std::uint64_t row, std::uint64_t rows, unsigned threads,
                  catalog::RowTaker& taker) const {
  Reading(*inventory_, datasets, taker).run(row, rows, threads);
}

void Source::rest() const {
  for (const auto& array : inventory_->arrays)
    if (array.python) array.python->rest();
}

std::string Source::how() const {
  if (inventory_->path.is_url())
    return fmt::format("listed in {}, by {} connections", inventory_->table.path(),
                       inventory_->settings.fetch.connections);
  return fmt::format("listed in {}, {} at a time", inventory_->table.path(), readers_of(inventory_->settings, 1));
}

}  // namespace headrace::inventory
