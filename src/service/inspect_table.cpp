#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/bytes.hpp"
#include "base/printable.hpp"
#include "service/inspect_advice.hpp"
#include "service/inspect_views.hpp"

namespace headrace::service {

namespace {

constexpr std::size_t width = 120;
constexpr std::size_t columns = 6;
using Line = std::array<std::string, columns>;

/// Words in lines of the width, the first after `head`, the others below its end.
std::string wrapped(const std::string& head, const std::vector<std::string>& words) {
  std::string text, line = head;
  const std::string indent(head.size(), ' ');
  bool first = true;
  for (const auto& word : words) {
    if (!first && line.size() + 1 + word.size() > width) {
      text += line + "\n";
      line = indent;
      first = true;
    }
    line += (first ? "" : " ") + word;
    first = false;
  }
  return text + line + "\n";
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words{""};
  for (const char c : printable(text))
    if (c == ' ')
      words.emplace_back();
    else
      words.back() += c;
  return words;
}

std::vector<std::string> listed(const std::vector<std::string>& items) {
  auto words = items;
  for (auto& word : words) word = printable(word);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) words[i] += ",";
  return words;
}

std::string type_text(const h5::DatasetInfo& dataset) {
  if (!dataset.problem.empty()) return "unreadable";
  const auto text = h5::text_of(dataset.type);
  return dataset.type.members.empty() ? text : fmt::format("compound of {}", dataset.type.members.size());
}

std::string layout_text(const reader::FileContents& file, const h5::DatasetInfo& dataset) {
  if (!dataset.problem.empty()) return "-";
  if (const auto* report = reader::find_virtual(file, dataset)) return text_of(*report);
  if (dataset.chunk.empty()) return std::string(h5::text_of(dataset.layout));
  auto text = "chunks " + h5::shape_text(dataset.chunk);
  if (!dataset.filters.empty()) text += ", " + filters_text(dataset);
  return text;
}

Line line_of(const reader::FileContents& file, const h5::DatasetInfo& dataset) {
  const auto size = [](std::uint64_t bytes) { return format_bytes(static_cast<double>(bytes)); };
  const auto ratio = ratio_text(dataset);
  return {printable(dataset.path),
          h5::shape_text(dataset.dims),
          type_text(dataset),
          dataset.dims.empty() ? "-" : size(dataset.row_bytes()),
          size(dataset.stored_bytes) + (ratio.empty() ? "" : " (" + ratio + "x)"),
          layout_text(file, dataset)};
}

std::string table(const reader::FileContents& file) {
  std::vector<Line> lines{{"dataset", "shape", "type", "per sample", "stored", "layout"}};
  for (const auto& dataset : file.datasets) lines.push_back(line_of(file, dataset));
  std::array<std::size_t, columns> widths{};
  for (const auto& line : lines)
    for (std::size_t c = 0; c < columns; ++c) widths[c] = std::max(widths[c], line[c].size());
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string row = "  ";
    for (std::size_t c = 0; c + 1 < columns; ++c)
      row += c == 3 ? fmt::format("{:>{}}  ", lines[i][c], widths[c]) : fmt::format("{:<{}}  ", lines[i][c], widths[c]);
    text += wrapped(row, words_of(lines[i].back()));
    if (i == 0) continue;
    const auto& members = file.datasets[i - 1].type.members;
    std::vector<std::string> names;
    for (const auto& member : members) names.push_back(member.name + ": " + h5::text_of(member.type));
    if (!names.empty()) text += wrapped("      ", listed(names));
  }
  return text;
}

/// The same datasets but for their number of samples: one line is enough for the second file of many.
bool alike(const reader::FileContents& a, const reader::FileContents& b) {
  const auto same = [&](const h5::DatasetInfo& x, const h5::DatasetInfo& y) {
    const auto *report_x = reader::find_virtual(a, x), *report_y = reader::find_virtual(b, y);
    if ((report_x != nullptr || report_y != nullptr) &&
        (report_x == nullptr || report_y == nullptr || text_of(*report_x) != text_of(*report_y)))
      return false;
    const auto row = [](const h5::DatasetInfo& d) {
      return std::vector(d.dims.begin() + (d.dims.empty() ? 0 : 1), d.dims.end());
    };
    return x.path == y.path && x.type == y.type && x.layout == y.layout && x.chunk == y.chunk &&
           x.filters == y.filters && x.dims.size() == y.dims.size() && row(x) == row(y);
  };
  return std::equal(a.datasets.begin(), a.datasets.end(), b.datasets.begin(), b.datasets.end(), same);
}

std::string head(const reader::FileContents& file) {
  return fmt::format("{}   {}, {} dataset{}", printable(file.path), format_bytes(static_cast<double>(file.bytes)),
                     file.datasets.size(), file.datasets.size() == 1 ? "" : "s");
}

/// "1000 samples", or the numbers of all lengths in the file.
std::string samples_text(const reader::FileContents& file) {
  std::set<std::uint64_t> lengths;
  for (const auto& dataset : file.datasets)
    if (!dataset.dims.empty()) lengths.insert(dataset.rows());
  return fmt::format("{} samples", fmt::join(lengths, ", "));
}

std::string about(const reader::Grouping& grouping, std::size_t files) {
  std::string text;
  for (const auto& group : grouping.groups) {
    std::vector<std::string> paths;
    std::uint64_t row = 0;
    for (const auto& dataset : group.datasets) {
      paths.push_back(dataset.path);
      row += dataset.row_bytes;
    }
    text += wrapped(fmt::format("  {} samples{}, {} each: ", group.samples(), files > 1 ? " in all files" : "",
                                format_bytes(static_cast<double>(row))),
                    listed(paths));
  }
  for (const auto* some : {&grouping.disagreeing, &grouping.unfit})
    for (const auto& left_out : *some)
      text += wrapped("  no field: ", words_of(left_out.path + ": " + left_out.reason));
  return text;
}

/// Each sentence once, behind the datasets that it is about, however many files say so.
std::string advice_text(const reader::Contents& contents) {
  std::vector<std::pair<std::string, std::vector<std::string>>> told;
  for (const auto& file : contents)
    for (const auto& dataset : file.datasets)
      for (const auto& sentence : advice(file, dataset)) {
        auto at = std::find_if(told.begin(), told.end(), [&](const auto& t) { return t.first == sentence; });
        if (at == told.end()) at = told.insert(told.end(), {sentence, {}});
        auto& about = at->second;
        if (std::find(about.begin(), about.end(), dataset.path) == about.end()) about.push_back(dataset.path);
      }
  std::string text;
  for (const auto& [sentence, about] : told)
    text += wrapped("  - ", words_of(fmt::format("{}: {}", fmt::join(about, ", "), sentence)));
  return text;
}

}  // namespace

std::string as_table(const reader::Contents& contents, const reader::Grouping& grouping) {
  std::string text;
  for (const auto& file : contents) {
    const bool first = &file == contents.data();
    if (!first && alike(file, contents[0])) {
      text += fmt::format("{} as in {}: {}\n", head(file), printable(contents[0].path), samples_text(file));
      continue;
    }
    text += (first ? "" : "\n") + head(file) + "\n";
    if (!file.datasets.empty()) text += table(file);
  }
  if (const auto fields = about(grouping, contents.size()); !fields.empty())
    text += "\nFields: datasets with the same number of samples can be fields together\n" + fields;
  if (const auto told = advice_text(contents); !told.empty()) text += "\nReading\n" + told;
  return text;
}

}  // namespace headrace::service
