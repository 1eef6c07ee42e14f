#include "reader/grid.hpp"

#include <algorithm>
#include <cstring>

#include "base/contract.hpp"

namespace headrace::reader {

namespace {

// One axis of the box that a chunk and the row have in common, innermost last. Strides in bytes.
struct Axis {
  std::uint64_t extent, row_stride, chunk_stride;
};

// Copies a box; the last axis is contiguous on both sides.
void copy_box(const Axis* axis, const Axis* last, const std::byte* chunk, std::byte* row) {
  if (axis == last) {
    std::memcpy(row, chunk, axis->extent * axis->row_stride);
    return;
  }
  for (std::uint64_t k = 0; k < axis->extent; ++k)
    copy_box(axis + 1, last, chunk + k * axis->chunk_stride, row + k * axis->row_stride);
}

}  // namespace

Grid::Grid(const h5::DatasetInfo& dataset) : dims_(dataset.dims), chunk_(dataset.chunk), element_(dataset.type.size) {
  EXPECTS(dims_.size() == chunk_.size() && !dims_.empty());
  chunk_bytes_ = element_;
  for (const auto extent : chunk_) chunk_bytes_ *= extent;
  for (std::size_t d = 1; d < dims_.size(); ++d) {
    per_band_ *= (dims_[d] + chunk_[d] - 1) / chunk_[d];
    whole_ = whole_ && dims_[d] == chunk_[d];
  }
}

std::vector<std::uint64_t> Grid::at(std::uint64_t band, std::uint64_t i) const {
  std::vector<std::uint64_t> first(dims_.size());
  for (std::size_t d = dims_.size(); d-- > 1;) {
    const auto along = (dims_[d] + chunk_[d] - 1) / chunk_[d];
    first[d] = i % along * chunk_[d];
    i /= along;
  }
  first[0] = band * chunk_[0];
  return first;
}

bool Grid::beyond(std::uint64_t band, std::uint64_t i) const {
  const auto first = at(band, i);
  for (std::size_t d = 0; d < dims_.size(); ++d)
    if (first[d] + chunk_[d] > dims_[d]) return true;
  return false;
}

void Grid::scatter(std::uint64_t i, const std::byte* chunk, std::uint64_t from, std::uint64_t rows,
                   std::byte* to) const {
  const auto first = at(0, i);
  std::vector<Axis> axes(dims_.size());
  std::uint64_t row_stride = element_, chunk_stride = element_, offset = 0;
  for (std::size_t d = dims_.size(); d-- > 0;) {
    const auto extent = d == 0 ? rows : std::min(chunk_[d], dims_[d] - first[d]);
    axes[d] = {extent, row_stride, chunk_stride};
    if (d > 0) offset += first[d] * row_stride;
    row_stride *= dims_[d];
    chunk_stride *= chunk_[d];
  }
  const auto* source = chunk + from * axes[0].chunk_stride;
  // Axes that run on without a gap on both sides are one long axis.
  while (axes.size() > 1) {
    auto& outer = axes[axes.size() - 2];
    const auto& inner = axes.back();
    const auto run = inner.extent * inner.row_stride;
    if (outer.row_stride != run || outer.chunk_stride != run) break;
    outer = {outer.extent * inner.extent, inner.row_stride, inner.chunk_stride};
    axes.pop_back();
  }
  copy_box(axes.data(), &axes.back(), source, to + offset);
}

}  // namespace headrace::reader
