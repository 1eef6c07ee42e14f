#include "inventory/scan.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "base/printable.hpp"
#include "base/user_file.hpp"
#include "catalog/file_print.hpp"
#include "catalog/serialise.hpp"
#include "fetch/fetcher.hpp"
#include "inventory/hdf5_array.hpp"
#include "inventory/source.hpp"
#include "inventory/team.hpp"
#include "mpi/agree.hpp"

namespace headrace::inventory {

namespace {

std::string read_table(const Settings& settings) {
  std::string why;
  auto text = read_file_of_user(settings.csv, why);
  if (!text)
    throw Error(fmt::format("cannot read the inventory {} ({}); give the path of a CSV file", settings.csv, why));
  return std::move(*text);
}

/// Rows of this rank's share whose file is not there, with the reason; as "row why" lines.
std::string missing_of(const Inventory& inventory, std::size_t rank, std::size_t ranks) {
  if (inventory.path.is_url()) return "";  // to ask twice for each would take twice as long
  const auto rows = inventory.table.rows(), first = rows * rank / ranks, last = rows * (rank + 1) / ranks;
  constexpr std::size_t at_once = 1024;
  std::vector<std::string> found((last - first + at_once - 1) / at_once);
  Team team(readers_of(inventory.settings, 1));
  for (std::size_t job = 0; job < found.size(); ++job)
    team.add([&, job] {
      std::string path;
      const auto end = std::min(last, first + (job + 1) * at_once);
      for (auto row = first + job * at_once; row < end; ++row) {
        inventory.path.make(inventory.table, row, path);
        if (::access(path.c_str(), R_OK) != 0) found[job] += fmt::format("{} {}\n", row, std::strerror(errno));
      }
    });
  team.finish();
  std::string all;
  for (const auto& part : found) all += part;
  return all;
}

struct Missing {
  std::size_t row;
  std::string why;
};

std::vector<Missing> parse_missing(const std::vector<std::string>& of_ranks) {
  std::vector<Missing> all;
  for (const auto& text : of_ranks)
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at), blank = text.find(' ', at);
      all.push_back({std::stoul(text.substr(at, blank - at)), text.substr(blank + 1, end - blank - 1)});
      at = end + 1;
    }
  return all;
}

[[noreturn]] void throw_missing(const Inventory& inventory, const std::vector<Missing>& missing) {
  constexpr std::size_t most = 100;
  std::string text, path;
  for (std::size_t i = 0; i < std::min(most, missing.size()); ++i) {
    inventory.path.make(inventory.table, missing[i].row, path);
    text += fmt::format("\n{} ({}; {})", printable(path), missing[i].why, inventory.table.place(missing[i].row));
  }
  if (missing.size() > most) text += fmt::format("\nand {} more", missing.size() - most);
  throw Error(
      fmt::format("{} of {} samples of {} have no file that can be read; put them there, take their lines out, "
                  "or leave them out with missing = \"skip\" in [inventory]:{}",
                  missing.size(), inventory.table.rows(), inventory.table.path(), text));
}

/// Those go that are missing and may be.
void leave_out(Inventory& inventory, const std::vector<Missing>& missing) {
  if (missing.empty()) return;
  if (!inventory.settings.skip_missing || missing.size() == inventory.table.rows()) throw_missing(inventory, missing);
  std::vector<std::size_t> rows;
  std::string path;
  const auto last_column = why_column(inventory.table);
  for (const auto& [row, why] : missing) {
    inventory.path.make(inventory.table, row, path);
    inventory.left_out.push_back({inventory.table.line(row, last_column), path, why});
    rows.push_back(row);
  }
  inventory.table.drop(rows);
}

Form form_in_python(const Array& array, const PythonSample& sample) {
  Form form;
  array.python->decode(
      {sample},
      [&](std::size_t, std::string_view npy) {
        form = array.decoder->form_of({reinterpret_cast<const std::byte*>(npy.data()), npy.size()});
      },
      [](std::size_t, const std::string& why) { throw Error(why); });
  return form;
}

std::string fetched(const Inventory& inventory, std::size_t row, const std::string& url) {
  std::string found;
  bool asked = false;
  fetch::Fetcher(inventory.settings.fetch)
      .run(
          [&](std::size_t&, std::string& to) {
            to = url;
            return !std::exchange(asked, true);
          },
          [&](std::size_t, std::string& content, const std::string& why) {
            if (!why.empty()) throw Error(why);
            verify(inventory, row, content);
            found = std::move(content);
          });
  return found;
}

void find_form_at(const Inventory& inventory, std::size_t row, Array& array) {
  std::string path, held;
  inventory.path.make(inventory.table, row, path);
  const bool url = inventory.path.is_url();
  FileReader reader;
  if (url)
    held = fetched(inventory, row, path);
  else if (inventory.checksum)
    verify(inventory, row, reader.all(path));
  if (array.name.kind == DecoderName::Kind::hdf5) {
    array.form = Hdf5Arrays().find(path, array.name.argument).form;
  } else if (array.python) {
    array.form = form_in_python(array, {.row = row, .path = path, .content = held, .in_file = !url});
  } else {
    const auto content = url ? Content{reinterpret_cast<const std::byte*>(held.data()), held.size()} : reader.all(path);
    array.form = array.decoder->form_of(content);
    if (const auto prefix = array.decoder->prefix(content)) array.layout = Layout{*prefix, array.form.bytes()};
  }
  if (array.form.bytes() == 0) throw Error(fmt::format("it holds no values, its form is {}", text_of(array.form)));
}

/// From the first sample's file; where samples may be left out, from the first that has one. Where none of so many has,
/// something else is wrong, and to try all, again and again where they are behind URLs, would tell it late.
void find_form(const Inventory& inventory, Array& array) {
  constexpr std::size_t most = 16;
  const auto rows = inventory.settings.skip_missing ? std::min(most, inventory.table.rows()) : 1;
  for (std::size_t row = 0;; ++row) try {
      return find_form_at(inventory, row, array);
    } catch (const Error& error) {
      if (row + 1 < rows) continue;
      const auto why = explained(inventory, row, error.what());
      throw Error(row == 0 ? why : fmt::format("none of the first {} samples can be read; the last: {}", rows, why));
    }
}

/// Form and layout as bytes, so that ranks can exchange them.
std::string packed(const Array& array) {
  catalog::FileContents carrier;
  carrier.conventions = array.layout ? "+" + array.layout->prefix : "";
  carrier.datasets.push_back({});
  carrier.datasets[0].type = array.form.type;
  carrier.datasets[0].dims = array.form.shape;
  return catalog::pack(carrier);
}

void unpack(const std::string& text, Array& array) {
  const auto carrier = catalog::unpack(text);
  array.form = {carrier.datasets[0].type, carrier.datasets[0].dims};
  if (!carrier.conventions.empty()) array.layout = Layout{carrier.conventions.substr(1), array.form.bytes()};
}

std::shared_ptr<Inventory> make_inventory(const std::string& text, const Settings& settings) {
  Table table(text, settings.csv, settings.id);
  PathTemplate path(settings.path, table);
  auto made = std::make_shared<Inventory>(Inventory{settings, std::move(table), std::move(path), {}, {}, {}});
  if (!settings.checksum.empty()) made->checksum = made->table.column(settings.checksum);
  for (const auto& decoder : settings.decoders) {
    const auto name = parse_decoder(decoder);
    if (name.kind == DecoderName::Kind::hdf5 && made->path.is_url())
      throw UsageError(fmt::format(
          "decoder '{}' takes files, not URLs (HDF5 opens them itself); get them first, with wget", decoder));
    made->arrays.push_back(
        {.dataset = array_dataset(decoder), .name = name, .decoder = make_decoder(name, made->table.folder())});
    if (name.kind == DecoderName::Kind::python)
      made->arrays.back().python = std::make_shared<PythonPool>(PythonOptions{.program = settings.python,
                                                                              .name = name.argument,
                                                                              .workers = settings.workers,
                                                                              .silence = settings.decoder_timeout},
                                                                made->table);
  }
  return made;
}

h5::DatasetInfo dataset(const std::string& path, std::uint64_t rows, const h5::TypeInfo& type,
                        const std::vector<std::uint64_t>& shape) {
  h5::DatasetInfo info;
  info.path = path;
  info.dims = {rows};
  info.dims.insert(info.dims.end(), shape.begin(), shape.end());
  info.type = type;
  info.stored_bytes = info.bytes();
  return info;
}

catalog::Contents contents_of(std::shared_ptr<const Inventory> inventory, const std::string& text) {
  catalog::FileContents contents;
  const auto rows = inventory->table.rows();
  contents.path = inventory->settings.csv;
  contents.bytes = text.size();
  contents.head = crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size());
  contents.datasets.push_back(dataset(std::string(table_dataset), rows, inventory->table.record(), {}));
  for (const auto& array : inventory->arrays)
    contents.datasets.push_back(dataset(array.dataset, rows, array.form.type, array.form.shape));
  std::sort(contents.datasets.begin(), contents.datasets.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  contents.rows = std::make_shared<Source>(std::move(inventory));
  catalog::Contents all;
  all.push_back(std::move(contents));
  return all;
}

}  // namespace

catalog::Contents scan(const mpi::Comm& comm, const Settings& settings) {
  const bool first = comm.rank() == 0;
  const auto text = comm.bcast(mpi::together(comm, [&] { return first ? read_table(settings) : std::string(); }));
  auto inventory = mpi::together(comm, [&] { return make_inventory(text, settings); });
  if (inventory->arrays.empty()) return contents_of(inventory, text);
  const auto rank = static_cast<std::size_t>(comm.rank()), ranks = static_cast<std::size_t>(comm.size());
  const auto mine = mpi::together(comm, [&] { return missing_of(*inventory, rank, ranks); });
  const auto missing = parse_missing(comm.allgather(mine));
  mpi::together(comm, [&] { leave_out(*inventory, missing); });
  for (auto& array : inventory->arrays) {
    const auto told = comm.bcast(mpi::together(comm, [&] {
      if (first) find_form(*inventory, array);
      return first ? packed(array) : std::string();
    }));
    if (!first) unpack(told, array);
  }
  return contents_of(inventory, text);
}

catalog::Contents scan_alone(const Settings& settings, bool code) {
  for (const auto& decoder : settings.decoders)
    if (const auto kind = parse_decoder(decoder).kind;
        !code && (kind == DecoderName::Kind::python || kind == DecoderName::Kind::plugin))
      throw UsageError(
          fmt::format("what decoder '{}' makes of a file shows when it runs, and nobody's code runs just "
                      "to look at a configuration; 'headrace inspect --plugins' lets it, and so do serve and pack",
                      decoder));
  const auto text = read_table(settings);
  auto inventory = make_inventory(text, settings);
  if (!inventory->arrays.empty()) leave_out(*inventory, parse_missing({missing_of(*inventory, 0, 1)}));
  for (auto& array : inventory->arrays) find_form(*inventory, array);
  return contents_of(inventory, text);
}

const Source* source_in(const catalog::Contents& contents) {
  return contents.size() == 1 ? dynamic_cast<const Source*>(contents[0].rows.get()) : nullptr;
}

}  // namespace headrace::inventory
