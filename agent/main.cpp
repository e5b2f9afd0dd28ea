#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "agent/commands/commands.h"
#include "agent/exit_code.h"
#include "agent/options.h"
#include "agent/report.h"

namespace {

/// A descriptor the caller closed would be given to the next file we open, and messages would land in that file.
void open_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd) std::abort();
  }
}

/// The system spares the first process of a container what has no handler: without one, a run that waits or uploads
/// would not end before it is killed. While a run measures, its signals are taken elsewhere (interrupt.h).
void end_as_first_process() {
  if (::getpid() != 1) return;
  constexpr int kShellsSignalBase = 128;
  for (const int each : {SIGINT, SIGTERM, SIGHUP})
    std::signal(each, [](int number) { ::_exit(kShellsSignalBase + number); });
}

}  // namespace

int main(int argc, char** argv) {
  using namespace gpuassay;
  open_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away must not cost the run
  end_as_first_process();
  try {
    const auto parsed = parse_command_line(argc, argv);
    if (const auto* help = std::get_if<HelpText>(&parsed)) {
      print_out(help->text);
      return kExitOk;
    }
    const auto& options = std::get<Options>(parsed);
    const Environment environment = read_environment(options.global, argv[0]);
    return std::visit([&](const auto& command) { return execute(command, environment); }, options.command);
  } catch (const Error& error) {
    std::fprintf(stderr, "gpuassay: %s\n", printable(error.what()).c_str());
    return exit_code_for(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpuassay: internal error: %s; please report it with the command you used\n", error.what());
    return kExitInternal;
  }
}
