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
#include "agent/measure.h"
#include "core/model.h"

namespace gpuassay {

class GroupLead {
 public:
  /// Listens from now on. Throws Error{network}.
  explicit GroupLead(const Launch& launch);

  /// Waits until all ranks are there, `deadline` passes, one is refused or `interrupt_fd` is readable.
  void gather(const Hello& own, SteadyTime deadline, double waited_s, int interrupt_fd);

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

  void take_stranger(LineSocket& line);
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
};

}  // namespace gpuassay
