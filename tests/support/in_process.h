// Code of a test in a process of its own, which can be killed at any instant.
#pragma once

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

namespace gpuassay::test {

/// Starts `action` in a child that ends with 0 when it returns and 1 when it throws, never running destructors of the
/// parent's objects. To be called while the program has one thread.
template <class Action>
pid_t in_process(const Action& action) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  try {
    action();
    ::_exit(0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "in the child: %s\n", error.what());
    ::_exit(1);
  }
}

/// Waits for the child; 128 + signal when one ended it.
inline int exit_status(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace gpuassay::test
