"""Which clip is tested when: folds, fixed splits, transfers from one corpus to another."""
