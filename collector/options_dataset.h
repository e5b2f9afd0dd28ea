// What do the commands ask for that an operator runs on the dataset: export, retract, vouch, verify, reassess?
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "collector/export/export.h"
#include "collector/reassess.h"
#include "collector/retract.h"
#include "collector/verify.h"
#include "collector/verify_proofs.h"
#include "collector/vouch.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 has that name
class App;
}

namespace gpuassay {

/// Prints the page of all columns instead of exporting.
struct DataDictionaryOptions {};

using DatasetCommand = std::variant<ExportOptions, DataDictionaryOptions, RetractOptions, VouchOptions, VerifyOptions,
                                    VerifyProofsOptions, ReassessOptions>;

/// The five commands of one command line.
class DatasetOptions {
 public:
  /// `app` must outlive this.
  explicit DatasetOptions(CLI::App& app);
  /// The command that was given, after parsing; empty when it was none of these. Throws Error{usage}.
  [[nodiscard]] std::optional<DatasetCommand> chosen() const;

 private:
  void add_verify();
  [[nodiscard]] DatasetCommand chosen_verify() const;

  CLI::App *export_, *retract_, *vouch_, *verify_, *reassess_;
  ExportOptions export_options_;
  RetractOptions retract_options_;
  VouchOptions vouch_options_;
  VerifyOptions verify_options_;
  VerifyProofsOptions proofs_options_;
  ReassessOptions reassess_options_;
  bool prints_dictionary_ = false;
};

}  // namespace gpuassay
