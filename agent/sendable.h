// May this file of the runs folder be sent, or has something happened to it?
#pragma once

#include <string>
#include <string_view>

namespace gpuassay {

enum class Sendable {
  yes,
  newer,    ///< a gpuassay that knows more wrote it: it is that one's business
  damaged,  ///< no result, or the result of another run: nobody will ever take it
};

struct SendableAnswer {
  Sendable sendable = Sendable::yes;
  std::string reason;  ///< why not; one line
};

/// `body` is what runs/RUN_ID.json holds. A changed figure is not seen here: the collector computes all of them again.
SendableAnswer look_at_saved_result(std::string_view run_id, std::string_view body);

}  // namespace gpuassay
