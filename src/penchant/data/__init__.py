"""From tables to a dataset: readers, quality checks, vocabulary, dataset, splits."""
