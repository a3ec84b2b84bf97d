"""One learner per file, and the scorer it makes."""
