#include "agent/backends/cublaslt_session.h"

#include <fmt/format.h>

#include "core/error.h"

namespace gpuassay {

CublasLtSession::CublasLtSession(const LibraryCandidate& candidate)
    : library(cublaslt::load(candidate)), handle(nullptr, library.api.cublasLtDestroy) {
  cublaslt::Handle made = nullptr;
  cublaslt::check(library.api, library.api.cublasLtCreate(&made), "cublasLtCreate");
  handle.reset(made);
}

namespace cublaslt {

OwnedDesc make_desc(const Api& api, int compute_type, int scale_type) {
  MatmulDesc desc = nullptr;
  check(api, api.cublasLtMatmulDescCreate(&desc, compute_type, scale_type), "cublasLtMatmulDescCreate");
  return {desc, api.cublasLtMatmulDescDestroy};
}

OwnedLayout make_layout(const Api& api, int type, std::int64_t rows, std::int64_t columns, std::int64_t batch) {
  MatrixLayout raw = nullptr;
  check(api,
        api.cublasLtMatrixLayoutCreate(&raw, type, static_cast<std::uint64_t>(rows),
                                       static_cast<std::uint64_t>(columns), rows),
        "cublasLtMatrixLayoutCreate");
  OwnedLayout layout{raw, api.cublasLtMatrixLayoutDestroy};
  if (batch == 1) return layout;
  const auto count = static_cast<std::int32_t>(batch);
  const std::int64_t stride = rows * columns;
  const auto set = [&](MatrixLayoutAttribute attribute, const auto& value) {
    check(api, api.cublasLtMatrixLayoutSetAttribute(layout.get(), attribute, &value, sizeof value),
          "cublasLtMatrixLayoutSetAttribute");
  };
  set(kLayoutBatchCount, count);
  set(kLayoutStridedBatchOffset, stride);
  return layout;
}

OwnedPreference make_preference(const Api& api, std::size_t workspace_bytes) {
  Preference raw = nullptr;
  check(api, api.cublasLtMatmulPreferenceCreate(&raw), "cublasLtMatmulPreferenceCreate");
  OwnedPreference preference{raw, api.cublasLtMatmulPreferenceDestroy};
  const std::uint64_t bytes = workspace_bytes;
  check(api,
        api.cublasLtMatmulPreferenceSetAttribute(preference.get(), kPreferenceMaxWorkspaceBytes, &bytes, sizeof bytes),
        "cublasLtMatmulPreferenceSetAttribute");
  return preference;
}

std::string describe(const Api& api, const Algo& algo) {
  std::string text;
  // What equals `usual` is left out: every case of a result carries this text.
  const auto add = [&](const char* name, AlgoConfigAttribute attribute, auto value, auto usual) {
    std::size_t written = 0;
    if (api.cublasLtMatmulAlgoConfigGetAttribute(&algo, attribute, &value, sizeof value, &written) !=
        cublas::kSuccess) {
      return;
    }
    if (value == usual) return;
    text += fmt::format("{}{} {}", text.empty() ? "" : " ", name, value);
  };
  add("algo", kAlgoId, std::int32_t{0}, std::int32_t{-1});
  add("tile", kAlgoTileId, std::uint32_t{0}, std::uint32_t{0});
  add("stages", kAlgoStagesId, std::uint32_t{0}, std::uint32_t{0});
  add("split_k", kAlgoSplitK, std::int32_t{0}, std::int32_t{1});
  add("cluster", kAlgoClusterShapeId, std::uint16_t{0}, std::uint16_t{0});
  return text;
}

}  // namespace cublaslt
}  // namespace gpuassay
