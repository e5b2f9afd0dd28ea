"""What a step of a network does on a GPU, found by running it in PyTorch on tensors without numbers. docs/WORKLOADS.md says
what is counted and how."""
