"""What files give away without a face: measured numbers, probes and permutations."""
