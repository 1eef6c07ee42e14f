#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/printable.hpp"
#include "commands/inspect/advice.hpp"
#include "commands/inspect/fold.hpp"
#include "commands/inspect/packing.hpp"
#include "commands/inspect/views.hpp"

namespace headrace::commands::inspect {

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

std::vector<std::string> words_of(const std::vector<std::string>& items) {
  auto words = items;
  for (auto& word : words) word = printable(word);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) words[i] += ",";
  return words;
}

std::string type_text(const h5::DatasetInfo& dataset) {
  if (!dataset.problem.empty()) return "unreadable";
  const auto text = h5::text_of(dataset.type);
  const bool spelled_out = !dataset.type.members.empty() && h5::complex_part(dataset.type) == nullptr;
  return !spelled_out ? text : fmt::format("compound of {}", dataset.type.members.size());
}

std::string layout_text(const catalog::FileContents& file, const h5::DatasetInfo& dataset) {
  if (!dataset.problem.empty()) return "-";
  if (const auto* report = catalog::find_virtual(file, dataset)) return catalog::text_of(*report);
  if (dataset.chunk.empty()) return std::string(h5::text_of(dataset.layout));
  auto text = "chunks " + h5::shape_text(dataset.chunk);
  if (!dataset.filters.empty()) text += ", " + filters_text(dataset);
  return text;
}

Line line_of(const catalog::FileContents& file, const h5::DatasetInfo& dataset) {
  const auto size = [](std::uint64_t bytes) { return format_bytes(static_cast<double>(bytes)); };
  const auto ratio = ratio_text(dataset);
  return {printable(dataset.path),
          h5::shape_text(dataset.dims),
          type_text(dataset),
          dataset.dims.empty() ? "-" : size(dataset.row_bytes()),
          size(dataset.stored_bytes) + (ratio.empty() ? "" : " (" + ratio + "x)"),
          layout_text(file, dataset)};
}

std::string members_text(const h5::DatasetInfo& dataset) {
  std::vector<std::string> names;
  for (const auto& member : dataset.type.members) names.push_back(member.name + ": " + h5::text_of(member.type));
  return names.empty() ? "" : wrapped("      ", words_of(names));
}

/// One line a dataset, or for many that are alike but for the numbers in their names. `below`: what stands under each.
struct Lines {
  std::vector<Line> lines;
  std::vector<std::string> below;
  std::size_t left = 0;  ///< datasets that no line tells
  bool folded = false;
};

Lines lines_of(const catalog::FileContents& file, bool all) {
  std::vector<Line> lines;
  std::vector<std::string> names, rest;
  for (const auto& dataset : file.datasets) {
    lines.push_back(line_of(file, dataset));
    names.push_back(dataset.path);
    rest.push_back(fmt::format("{}", fmt::join(lines.back().begin() + 1, lines.back().end(), "\n")) +
                   members_text(dataset));
  }
  Lines told{.lines = {{"dataset", "shape", "type", "per sample", "stored", "layout"}}, .below = {""}};
  for (const auto& fold : folds_of(names, rest, all ? names.size() : few_lines)) {
    if (!all && told.lines.size() > few_lines) {
      told.left += fold.count;
      continue;
    }
    told.folded = told.folded || fold.count > 1;
    told.lines.push_back(lines[fold.first]);
    told.lines.back()[0] = printable(name_of(fold, names));
    told.below.push_back(members_text(file.datasets[fold.first]));
  }
  return told;
}

std::string dead_links_text(const catalog::FileContents& file, bool all) {
  std::string text;
  const auto& links = file.dead_links;
  const auto shown = all ? links.size() : std::min(links.size(), few_names);
  for (std::size_t i = 0; i < shown; ++i)
    text += wrapped("  ", words_of(printable(links[i].path) + "  is " + h5::text_of(links[i])));
  if (shown < links.size())
    text += fmt::format("  ... and {} more links that lead nowhere; --all shows them\n", links.size() - shown);
  return text;
}

std::string table(const catalog::FileContents& file, bool all) {
  const auto [lines, below, left, folded] = lines_of(file, all);
  std::array<std::size_t, columns> widths{};
  for (const auto& line : lines)
    for (std::size_t c = 0; c < columns; ++c) widths[c] = std::max(widths[c], line[c].size());
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string row = "  ";
    for (std::size_t c = 0; c + 1 < columns; ++c)
      row += c == 3 ? fmt::format("{:>{}}  ", lines[i][c], widths[c]) : fmt::format("{:<{}}  ", lines[i][c], widths[c]);
    text += wrapped(row, words_of(lines[i].back())) + below[i];
  }
  if (left > 0)
    text += fmt::format("  ... and {} more datasets; --all shows them\n", left);
  else if (folded)
    text += "  Datasets that are alike but for the numbers in their names share a line; --all shows each\n";
  return text;
}

/// The same datasets but for their number of samples: one line is enough for the second file of many.
bool alike(const catalog::FileContents& a, const catalog::FileContents& b) {
  const auto same = [&](const h5::DatasetInfo& x, const h5::DatasetInfo& y) {
    const auto *report_x = catalog::find_virtual(a, x), *report_y = catalog::find_virtual(b, y);
    if ((report_x != nullptr || report_y != nullptr) &&
        (report_x == nullptr || report_y == nullptr || catalog::text_of(*report_x) != catalog::text_of(*report_y)))
      return false;
    const auto row = [](const h5::DatasetInfo& d) {
      return std::vector(d.dims.begin() + (d.dims.empty() ? 0 : 1), d.dims.end());
    };
    return x.path == y.path && x.type == y.type && x.layout == y.layout && x.chunk == y.chunk &&
           x.filters == y.filters && x.dims.size() == y.dims.size() && row(x) == row(y);
  };
  return a.dead_links == b.dead_links &&
         std::equal(a.datasets.begin(), a.datasets.end(), b.datasets.begin(), b.datasets.end(), same);
}

std::string head(const catalog::FileContents& file) {
  return fmt::format("{}   {}, {} dataset{}", printable(file.path), format_bytes(static_cast<double>(file.bytes)),
                     file.datasets.size(), file.datasets.size() == 1 ? "" : "s");
}

/// "1000 samples", or the numbers of all lengths in the file.
std::string samples_text(const catalog::FileContents& file) {
  std::set<std::uint64_t> lengths;
  for (const auto& dataset : file.datasets)
    if (!dataset.dims.empty()) lengths.insert(dataset.rows());
  std::vector<std::string> texts;
  for (const auto length : lengths) texts.push_back(std::to_string(length));
  return fmt::format("{} samples", some_of(texts));
}

/// Datasets that are no fields for the same reason share a line where there are many.
std::string left_out_text(const std::vector<catalog::LeftOut>& left_out, bool all) {
  std::vector<std::string> names, reasons;
  for (const auto& one : left_out) {
    names.push_back(one.path);
    reasons.push_back(one.reason);
  }
  std::string text;
  std::size_t lines = 0, told = 0;
  for (const auto& fold : folds_of(names, reasons, all ? names.size() : few_names)) {
    if (!all && ++lines > few_names) break;
    told += fold.count;
    text += wrapped("  no field: ", words_of(name_of(fold, names) + ": " + reasons[fold.first]));
  }
  if (told < names.size()) text += fmt::format("  no field: {} more; --all shows them\n", names.size() - told);
  return text;
}

std::string about(const catalog::Grouping& grouping, std::size_t files, bool all) {
  std::string text;
  std::size_t groups = 0;
  for (const auto& group : grouping.groups) {
    if (!all && ++groups > few_names) {
      text +=
          fmt::format("  ... and {} more numbers of samples; --all shows them\n", grouping.groups.size() - few_names);
      break;
    }
    std::vector<std::string> paths;
    std::uint64_t row = 0;
    for (const auto& dataset : group.datasets) {
      paths.push_back(dataset.path);
      row += dataset.row_bytes;
    }
    text += wrapped(fmt::format("  {} samples{}, {} each: ", group.samples(), files > 1 ? " in all files" : "",
                                format_bytes(static_cast<double>(row))),
                    words_of(folded_names(paths, all)));
  }
  for (const auto* some : {&grouping.disagreeing, &grouping.unfit}) text += left_out_text(*some, all);
  return text;
}

/// Each sentence once, behind the datasets that it is about, however many files say so.
std::string advice_text(const catalog::Contents& contents, bool all) {
  std::vector<std::pair<std::string, std::vector<std::string>>> told;
  std::unordered_map<std::string, std::size_t> places;
  std::set<std::pair<std::size_t, std::string>> seen;
  for (const auto& file : contents)
    for (const auto& dataset : file.datasets)
      for (const auto& sentence : advice(file, dataset)) {
        const auto [at, fresh] = places.emplace(sentence, told.size());
        if (fresh) told.push_back({sentence, {}});
        if (seen.emplace(at->second, dataset.path).second) told[at->second].second.push_back(dataset.path);
      }
  std::string text;
  std::size_t lines = 0;
  for (const auto& [sentence, about] : told) {
    if (!all && ++lines > few_lines) {
      text += fmt::format("  - and {} more; --all shows them\n", told.size() - few_lines);
      break;
    }
    text += wrapped("  - ", words_of(fmt::format("{}: {}", fmt::join(folded_names(about, all), ", "), sentence)));
  }
  return text;
}

/// Like advice: each sentence once. Those that begin with the dataset's name differ.
std::string packing_section(const catalog::Contents& contents, bool all) {
  const auto notes = packing_notes(contents);
  std::vector<std::string> names, texts;
  for (const auto& note : notes) {
    names.push_back(note.dataset);
    texts.push_back(note.text);
  }
  std::string text;
  std::size_t told = 0, lines = 0;
  for (const auto& fold : folds_of(names, texts, all ? names.size() : few_lines)) {
    if (!all && ++lines > few_lines) break;
    told += fold.count;
    text += wrapped("  - ", words_of(notes[fold.first].decoded ? name_of(fold, names) + ": " + texts[fold.first]
                                                               : texts[fold.first]));
  }
  if (told < names.size()) text += fmt::format("  - and {} more; --all shows them\n", names.size() - told);
  return text;
}

}  // namespace

std::string as_table(const catalog::Contents& contents, const catalog::Grouping& grouping, bool all) {
  std::string text;
  for (const auto& file : contents) {
    const bool first = &file == contents.data();
    if (!first && alike(file, contents[0])) {
      text += fmt::format("{} as in {}: {}\n", head(file), printable(contents[0].path), samples_text(file));
      continue;
    }
    text += (first ? "" : "\n") + head(file) + "\n";
    if (!file.datasets.empty()) text += table(file, all);
    text += dead_links_text(file, all);
  }
  if (const auto fields = about(grouping, contents.size(), all); !fields.empty())
    text += "\nFields: datasets with the same number of samples can be fields together\n" + fields;
  if (const auto told = advice_text(contents, all); !told.empty()) text += "\nReading\n" + told;
  if (const auto packed = packing_section(contents, all); !packed.empty()) text += "\nPacked values\n" + packed;
  return text;
}

}  // namespace headrace::commands::inspect
