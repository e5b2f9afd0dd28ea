// How does rank 0 lead the processes of a group through one plan? It waits for them, has every case measured by all at
// once, and keeps what there is whatever becomes of the others.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/group/group_id.h"
#include "agent/group/hello.h"
#include "agent/group/line_socket.h"
#include "agent/group/token.h"
#include "agent/measure.h"
#include "core/model.h"

namespace gpuassay {

class GroupLead {
 public:
  /// Shows one line.
  using Warn = std::function<void(const std::string&)>;

  /// Listens from now on. Throws Error{network}.
  explicit GroupLead(const Launch& launch);

  /// Waits until all ranks are there, `deadline` passes or one of another version is refused. Who has not the token of
  /// this launch is refused, too, but ends nothing: anybody can connect. `warn` is told of the first.
  void gather(const Hello& own, SteadyTime deadline, double waited_s, const Warn& warn);

  /// The cases of rank 0: `local` ones, which every rank has of its own, then the collectives among all.
  [[nodiscard]] std::vector<Case> plan(std::vector<Case> local, Profile profile);

  /// As measure() does, with all ranks. Rank 0's measuring process writes the group's id to `id_line` at its first
  /// collective.
  MeasureOutcome measure(const std::vector<Case>& cases, const std::function<CaseRunner()>& make_runner,
                         const IdLine& id_line, const MeasureContext& context);

  /// All machines, ranks in order, with what each did alone.
  [[nodiscard]] std::vector<Node> nodes() const;

  /// Tells the others how the run ended, which is how they end.
  void end(int exit_code);

 private:
  struct Rank {
    LineSocket line;  ///< gone for rank 0 itself
    std::optional<Hello> hello;
    std::map<std::string, Metric> figures;
  };

  /// Somebody who connected and is no rank yet.
  struct Stranger {
    LineSocket line;
    SteadyTime since;
    TokenExchange token = {};
  };

  void take_stranger(Stranger& stranger, const Warn& warn);
  [[nodiscard]] bool has_token(Stranger& stranger, const nlohmann::json& message, const Warn& warn);
  void take_hello(LineSocket& line, Hello hello);
  void refuse(LineSocket& line, const std::string& reason);
  [[nodiscard]] bool all_are_there() const;
  void explain_gaps(double waited_s);

  friend class GroupPass;

  Launch launch_;
  FileDescriptor listener_;
  std::vector<Rank> ranks_;
  std::int64_t least_free_bytes_ = 0;
  Profile profile_ = Profile::standard;
  std::vector<Reason> reasons_;
  std::string no_group_;  ///< "code: message": why there are no collectives
  bool is_refused_ = false;
  int without_token_ = 0;  ///< who connected and has not the token of this launch
};

}  // namespace gpuassay
